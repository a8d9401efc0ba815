// Where a clip may begin and end: its window in frames, moved by shots or by single frames.

// `which` is "in" or "out"; `step` 1 is later, -1 earlier. Gives the new window, or the same where there is nowhere to go.
export function moved(film, window, which, step, {byFrame = false} = {}) {
  const at = which === "in" ? window.start : window.end;
  const frame = byFrame ? at + step : cutBeyond(film.shots, at, step);
  const crossed = frame === null || (which === "in" ? frame >= window.end : frame <= window.start);
  return crossed ? window : placed(film, window, which, frame);
}

// With an end at a frame, as far as the clip stays one and in its film.
export function placed(film, window, which, frame) {
  const {start, end} = window, last = film.movie.frames;
  if (which === "in") return {start: Math.min(Math.max(frame, 0), end - 1), end};
  return {start, end: Math.max(Math.min(frame, last), start + 1)};
}

function cutBeyond(shots, at, step) {
  const cuts = [...shots.map((shot) => shot.start_frame), shots.at(-1).end_frame];
  const beyond = cuts.filter((cut) => (cut - at) * step > 0);
  if (!beyond.length) return null;
  return step > 0 ? beyond[0] : beyond.at(-1);
}
