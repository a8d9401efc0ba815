// Numbers as people read them.

// 71.4 → 1:11; 4271 → 1:11:11
export function clock(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  const hours = Math.floor(whole / 3600), minutes = Math.floor(whole / 60) % 60, rest = String(whole % 60).padStart(2, "0");
  return hours ? `${hours}:${String(minutes).padStart(2, "0")}:${rest}` : `${minutes}:${rest}`;
}

// hh:mm:ss:ff of a frame, counted from the film's start timecode; drop-frame (with ;) where that is, at 29.97 and 59.94.
export function timecode(frame, rate, start = null) {
  const fps = Math.round(rate) || 24, drop = Boolean(start?.includes(";")) && [30, 60].includes(fps) && rate < fps;
  const day = 144 * (600 * fps - (drop ? 9 * (fps / 15) : 0));
  let count = (((frame + (start ? framesOf(start, fps, drop) : 0)) % day) + day) % day;
  if (drop) count += dropped(count, fps);
  const two = (number) => String(number).padStart(2, "0");
  const seconds = Math.floor(count / fps);
  return `${two(Math.floor(seconds / 3600) % 24)}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}${drop ? ";" : ":"}${two(count % fps)}`;
}

function framesOf(code, fps, drop) {
  const [hours, minutes, seconds, frames] = code.split(/[:;]/).map(Number);
  const all = hours * 60 + minutes;
  return (all * 60 + seconds) * fps + frames - (drop ? (fps / 15) * (all - Math.floor(all / 10)) : 0);
}

// How many numbers drop-frame counting has left out before a frame: two a minute at 30, but for each tenth.
function dropped(count, fps) {
  const lost = fps / 15, minute = fps * 60 - lost, ten = fps * 600 - lost * 9;
  const tens = Math.floor(count / ten), rest = count % ten;
  return lost * 9 * tens + (rest > lost ? lost * Math.floor((rest - lost) / minute) : 0);
}

export function rateOf(text) {
  const [over, under] = String(text || "24").split("/").map(Number);
  return under ? over / under : over || 24;
}

export function bytes(count) {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let value = count, unit = 0;
  while (value >= 1000 && unit < units.length - 1) [value, unit] = [value / 1000, unit + 1];
  return `${value >= 100 || unit === 0 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}

export const percent = (share) => `${Math.floor(100 * (share || 0))} %`;
export const score = (value) => (value === null || value === undefined ? "–" : value.toFixed(2));
export const grouped = new Intl.NumberFormat("en").format;
export const many = (count, one, more = `${one}s`) => `${grouped(count)} ${count === 1 ? one : more}`;

export function left(seconds) {
  if (seconds === null || seconds === undefined || !Number.isFinite(seconds)) return "";
  if (seconds < 60) return `${Math.max(1, Math.round(seconds))} s left`;
  return `${Math.round(seconds / 60)} min left`;
}

const STAGES = {
  probe: "reading", proxy: "making a copy for browsers", scan: "watching", features: "measuring", index: "indexing",
  clusters: "grouping places and people", "clusters scene": "grouping places", "clusters character": "grouping people",
  candidates: "ranking", film: "reading the film", trailer: "watching the trailer",
  align: "finding it in the film", clips: "rendering",
};

// What a job does, in a few words: stage, speed, time left.
export function jobWords(job) {
  if (job.state === "queued") return "waiting for a worker";
  if (job.state === "cancelling") return "stopping";
  return [STAGES[job.stage] ?? (job.stage || "starting"), speedWords(job), left(job.eta_s)].filter(Boolean).join(" · ");
}

// Speed over a film is told as how many times faster than it plays.
function speedWords(job) {
  if (!job.speed) return "";
  const value = job.speed >= 10 ? Math.round(job.speed) : job.speed.toFixed(1);
  return job.unit && !["frames", "seconds"].includes(job.unit) ? `${value} ${job.unit}/s` : `${value} ×`;
}
