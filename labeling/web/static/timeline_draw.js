// The picture of a timeline: values in, pixels out. Everything under the score's curve is drawn row by row.

import {colour, token} from "./dom.js";
import {clock} from "./words.js";

const TICK_STEPS_S = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600];
const TICK_EVERY_PX = 90;
export const MOST_LANES = 5;

// Where each row begins, and how high all of it is; `lanes` is how many rows of bars there are.
export function rowsOf(lanes) {
  const gap = token("--row-gap"), rows = {};
  let top = 0;
  for (const [name, height] of [
    ["ruler", token("--row-ruler")], ["curve", token("--row-curve")], ["lanes", token("--row-lane") * Math.max(lanes, 1)],
    ["scenes", token("--row-scene")], ["speech", token("--row-tick")], ["faces", token("--row-tick")], ["cuts", token("--row-cuts")],
  ]) {
    rows[name] = {top, height};
    top += height + gap;
  }
  return {...rows, lane: token("--row-lane"), height: top};
}

// Bars in rank order, each in the first row where it meets no other; those that fit nowhere share the last.
export function laneOf(bars) {
  const ends = [];
  return bars.map((bar) => {
    let lane = ends.findIndex((taken) => taken.every((other) => bar.end_s <= other.start_s || bar.start_s >= other.end_s));
    if (lane < 0) lane = Math.min(ends.length, MOST_LANES - 1);
    (ends[lane] ??= []).push(bar);
    return lane;
  });
}

const COLOURS = ["background", "surface", "line", "muted", "text", "viral", "compelling", "ensemble", "band", "band-other", "comb", "good", "playhead", "raised", "on-accent"];

export function palette() {
  const font = getComputedStyle(document.documentElement).getPropertyValue("--font-canvas").trim();
  return {font, ...Object.fromEntries(COLOURS.map((name) => [name, colour(`--${name}`)]))};
}

// All that does not move. `view` is {from, to, width} in seconds and pixels.
export function drawFilm(ctx, film, view, rows, paint) {
  const x = scale(view);
  ruler(ctx, view, rows.ruler, paint, x);
  bands(ctx, film.scenes, rows.scenes, paint, x);
  spans(ctx, film.shots.filter((shot) => shot.dialogue_scene !== null), lower(rows.scenes), paint.compelling, x);
  spans(ctx, film.lines, rows.speech, paint.muted, x);
  spans(ctx, film.shots.filter((shot) => shot.faces), rows.faces, paint.good, x);
  comb(ctx, film.shots, rows.cuts, paint, x, view);
  if (film.curve) curves(ctx, film.curve, view, rows.curve, paint, x);
}

export function scale(view) {
  const factor = view.width / (view.to - view.from);
  return (second) => (second - view.from) * factor;
}

function ruler(ctx, view, row, paint, x) {
  const per = (view.to - view.from) / view.width * TICK_EVERY_PX, step = TICK_STEPS_S.find((each) => each >= per) ?? 7200;
  ctx.font = paint.font;
  ctx.textBaseline = "middle";
  for (let second = Math.ceil(view.from / step) * step; second < view.to; second += step) {
    const at = Math.round(x(second)) + 0.5;
    ctx.fillStyle = paint.line;
    ctx.fillRect(at, row.top + row.height / 2, 1, row.height / 2);
    ctx.fillStyle = paint.muted;
    const said = clock(second);
    if (at + 4 + ctx.measureText(said).width <= view.width) ctx.fillText(said, at + 4, row.top + row.height / 2);
  }
}

function bands(ctx, scenes, row, paint, x) {
  scenes.forEach((scene, at) => {
    ctx.fillStyle = at % 2 ? paint["band-other"] : paint.band;
    ctx.fillRect(x(scene.start_s), row.top, Math.max(x(scene.end_s) - x(scene.start_s), 1), row.height);
  });
}

// Dialogue scenes are marked in the scenes that they lie in.
function lower(row) {
  return {top: row.top + row.height / 2, height: row.height / 2};
}

function spans(ctx, parts, row, fill, x) {
  ctx.fillStyle = fill;
  for (const part of parts) ctx.fillRect(x(part.start_s), row.top, Math.max(x(part.end_s) - x(part.start_s), 1), row.height);
}

function comb(ctx, shots, row, paint, x, view) {
  ctx.fillStyle = paint.comb;
  let last = -1;
  for (const shot of shots) {
    const at = Math.round(x(shot.start_s));
    if (at === last || at < 0 || at > view.width) continue;
    ctx.fillRect(at, row.top, 1, row.height);
    last = at;
  }
}

function curves(ctx, curve, view, row, paint, x) {
  const y = (value) => row.top + row.height * (1 - value);
  ctx.fillStyle = paint.line;
  for (const level of [0, 0.5, 1]) ctx.fillRect(0, Math.round(y(level)), view.width, 1);
  ctx.fillStyle = paint.ensemble;
  line(ctx, curve.score, view, x, y, row.top + row.height);
  ctx.lineWidth = 1.5;
  for (const name of ["viral", "compelling"]) {
    ctx.strokeStyle = paint[name];
    line(ctx, curve[name], view, x, y);
  }
}

// One value a second, drawn at its middle; a gap where there is none. With `ground` it is filled down to there.
function line(ctx, values, view, x, y, ground = null) {
  const first = Math.max(0, Math.floor(view.from) - 1), end = Math.min(values.length, Math.ceil(view.to) + 1);
  let open = false, began = 0, last = 0;
  const close = () => {
    if (!open) return;
    if (ground === null) ctx.stroke();
    else ctx.lineTo(last, ground), ctx.lineTo(began, ground), ctx.fill();
    open = false;
  };
  for (let second = first; second < end; second++) {
    const value = values[second];
    if (value === null) { close(); continue; }
    const at = x(second + 0.5);
    if (open) ctx.lineTo(at, y(value));
    else ctx.beginPath(), ctx.moveTo(at, y(value)), began = at, open = true;
    last = at;
  }
  close();
}

// Candidates: filled where the ranking or a person made them; the chosen one has a rim.
export function drawBars(ctx, bars, lanes, view, rows, paint, chosen) {
  const x = scale(view);
  ctx.font = paint.font;
  ctx.textBaseline = "middle";
  for (let at = bars.length - 1; at >= 0; at--) {
    const bar = bars[at], left = x(bar.start_s), wide = Math.max(x(bar.end_s) - left, 3);
    const top = rows.lanes.top + lanes[at] * rows.lane + 1, high = rows.lane - 2;
    if (left > view.width || left + wide < 0) continue;
    ctx.fillStyle = bar.source !== "ranking" ? paint.good : paint.compelling;
    ctx.globalAlpha = bar.key === chosen ? 1 : 0.45 + 0.5 * (bar.score ?? 0.6);
    ctx.beginPath();
    ctx.roundRect(left, top, wide, high, 3);
    ctx.fill();
    ctx.globalAlpha = 1;
    if (bar.key === chosen) {
      ctx.strokeStyle = paint.text;
      ctx.lineWidth = 1.5;
      ctx.stroke();
    }
    const label = bar.source !== "ranking" ? "own" : String(bar.rank ?? "");
    if (wide > 22) ctx.fillStyle = paint["on-accent"], ctx.fillText(label, Math.max(left, 0) + 5, top + high / 2 + 0.5);
  }
}

// What moves: the stretch between in and out point, where the mouse is, where the film is.
export function drawMoving(ctx, state, view, height, paint) {
  const x = scale(view);
  if (state.in !== null || state.out !== null) {
    const left = x(state.in ?? view.from), right = x(state.out ?? view.to);
    ctx.fillStyle = paint.good;
    ctx.globalAlpha = 0.16;
    ctx.fillRect(left, 0, right - left, height);
    ctx.globalAlpha = 1;
    if (state.in !== null) ctx.fillRect(left, 0, 2, height);
    if (state.out !== null) ctx.fillRect(right - 2, 0, 2, height);
  }
  if (state.hover !== null) ctx.fillStyle = paint.muted, ctx.fillRect(Math.round(x(state.hover)), 0, 1, height);
  ctx.fillStyle = paint.playhead;
  ctx.fillRect(Math.round(x(state.second)) - 1, 0, 2, height);
}
