// What lists and their clips say of themselves.

import {h} from "./dom.js";
import {clock, many, rateOf, timecode} from "./words.js";

export const RATES = [["", "As the first clip's film"], ["23.976", "23.976"], ["24", "24"], ["25", "25"], ["29.97", "29.97"], ["29.97df", "29.97 drop-frame"], ["30", "30"], ["50", "50"],
  ["59.94", "59.94"], ["59.94df", "59.94 drop-frame"], ["60", "60"]];

const DAY = new Intl.DateTimeFormat("en", {day: "numeric", month: "long", year: "numeric"});
export const day = (text) => DAY.format(new Date(`${text}T12:00`));

export function stateMark({state, approved_by: by, blocked}) {
  if (blocked) return h("p", {class: "small bad"}, `${many(blocked, "clip")} may not go out`);
  return h("p", {class: `small ${state === "approved" ? "good" : "muted"}`}, state === "approved" ? `approved by ${by}` : "draft");
}

export const spanWords = (entry) => `${clock(entry.start_s)} – ${clock(entry.end_s)} (${clock(entry.duration_s)})`;
export const inOut = ({timecodes}) => timecodes?.join(" – ") ?? "";

// The film's own timecode a second into the clip, as edits count it.
export function codeAt({timecodes, counted_rate: counted}, second) {
  const rate = rateOf(counted);
  return timecodes ? timecode(Math.round(second * rate), rate, timecodes[0]) : "";
}

// The clip with other ends, until the server says what it is then. Between its own ends frames are taken for even.
export function withEnds(entry, start, end) {
  const at = (frame) => secondOf(entry, frame) - entry.start_s, from = at(start), to = at(end);
  return {...entry, start_frame: start, end_frame: end, start_s: entry.start_s + from, end_s: entry.start_s + to, duration_s: to - from,
    timecodes: entry.timecodes && [codeAt(entry, from), codeAt(entry, to)]};
}

export function secondOf(entry, frame) {
  return entry.start_s + ((frame - entry.start_frame) * entry.duration_s) / Math.max(entry.end_frame - entry.start_frame, 1);
}

// Marks of a clip: [words, kind, what they mean].
export function marksOf(entry) {
  const marks = entry.blocked.map((words) => [words, "bad", ""]);
  if (entry.rights === "cleared") marks.push(["rights cleared", "good", entry.rights_note]);
  if (entry.embargo_until && !entry.blocked.some((words) => words.includes("embargo"))) marks.push([`embargo was until ${day(entry.embargo_until)}`, "muted", ""]);
  if (entry.admitted_by) marks.push([`let in by ${entry.admitted_by}`, "muted", "Nobody has approved it."]);
  if (entry.trimmed) marks.push(["trimmed here", "muted", "Other ends than the approved clip has"]);
  if (entry.by_rule) marks.push(["by rule", "muted", "The list's rule put it here, and may take it out."]);
  return marks;
}

export function timeWords({total_s: total, target_s: target, clips}) {
  if (!target) return `${many(clips, "clip")}, ${clock(total)}`;
  const apart = total - target, off = Math.abs(apart) < 0.5 ? "exactly" : apart > 0 ? `${clock(apart)} over` : `${clock(-apart)} to go`;
  return `${many(clips, "clip")}, ${clock(total)} of ${clock(target)}: ${off}`;
}

// "6" (minutes), "1:30" or "1:02:03" as seconds; null for nothing. Throws what is wrong.
export function secondsOf(text) {
  const words = text.trim();
  if (!words) return null;
  if (!/^\d+(:[0-5]?\d){0,2}$/.test(words)) throw new Error(`“${words}” is no length; write it as minutes:seconds, like 6:00.`);
  return words.split(":").reduce((sum, part) => sum * 60 + Number(part), 0) * (words.includes(":") ? 1 : 60);
}
