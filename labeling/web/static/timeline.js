// The film from end to end: curve, candidates, scenes, speech, faces, cuts, shots. One canvas for what rests, one for what moves.

import {button, h, token} from "./dom.js";
import {Strip} from "./strip.js";
import {drawBars, drawFilm, drawMoving, laneOf, palette, rowsOf} from "./timeline_draw.js";
import {clock, score} from "./words.js";

const ZOOM_STEP = 1.5;
const SHORTEST_VIEW_S = 2;
const WHEEL_ZOOM = 0.002;
const TIP_PX = 12;

// Events: "seek" {second, play}; "choose" bar; "playbar" bar; "trim" {bar, start, end} (ends are cuts: {frame, second});
// "like" shot.
class Timeline extends HTMLElement {
  #bars = [];
  #lanes = [];
  #state = {second: 0, hover: null, in: null, out: null};
  #drag = null;
  #waiting = 0;
  #stale = false;
  #view = {from: 0, to: 1, width: 1};
  chosen = null;

  connectedCallback() {
    if (this.resting) return;
    this.className = "timeline";
    this.resting = h("canvas", {"aria-hidden": true});
    this.moving = h("canvas", {"aria-hidden": true});
    this.tip = h("div", {class: "timeline-tip num", hidden: true});
    this.stage = h("div", {class: "timeline-stage", tabIndex: 0, role: "slider", "aria-label": "Place in the film",
      "aria-keyshortcuts": "ArrowLeft ArrowRight ArrowUp ArrowDown i o"}, this.resting, this.moving, this.tip);
    this.tools = h("div", {class: "timeline-tools"},
      button("", () => this.zoom(1 / ZOOM_STEP), {kind: "plain", symbol: "minus", title: "Zoom out (-)"}),
      button("", () => this.zoom(ZOOM_STEP), {kind: "plain", symbol: "plus", title: "Zoom in (+, or Ctrl and wheel)"}));
    this.legend = h("div", {class: "timeline-legend small muted"}, key("viral", "viral"), key("compelling", "compelling"), key("ensemble", "score"),
      key("dialogue", "dialogue of two"), key("speech", "speech"), key("faces", "faces"), this.tools);
    this.append(this.legend, this.stage);
    this.#listen();
  }

  disconnectedCallback() {
    this.sizes.disconnect();
    this.light.removeEventListener("change", this.redraw);
  }

  open(film, {mayEdit}) {
    Object.assign(this, {film, mayEdit, time: film.time});
    this.strip?.element.remove();
    this.strip = new Strip(film.movie, film.time, {
      play: (second) => this.#send("seek", {second, play: true}),
      like: (shot) => this.#send("like", shot),
      hover: (second) => this.#hover(second),
    });
    this.append(this.strip.element);
    this.#view = {...this.#view, from: 0, to: film.time.duration};
    this.stage.setAttribute("aria-valuemin", 0);
    this.stage.setAttribute("aria-valuemax", Math.round(film.time.duration));
    this.redraw();
  }

  set bars(bars) {
    this.#bars = bars;
    this.#lanes = laneOf(bars);
    this.redraw();
  }

  set curve(curve) {
    this.film.curve = curve;
    this.redraw();
  }

  set second(second) {
    this.#state.second = second;
    this.stage.setAttribute("aria-valuenow", Math.round(second));
    this.stage.setAttribute("aria-valuetext", this.time?.code(second) ?? "");
    this.#follow(second);
    this.#moved();
  }

  set marks({from, to}) {
    Object.assign(this.#state, {in: from, out: to});
    this.#moved();
  }

  choose(bar) {
    this.chosen = bar?.key ?? null;
    if (bar && (bar.end_s < this.#view.from || bar.start_s > this.#view.to)) this.#look((bar.start_s + bar.end_s) / 2, this.#view.to - this.#view.from);
    this.redraw();
  }

  zoom(factor, around = this.#state.second) {
    const length = (this.#view.to - this.#view.from) / factor, share = (around - this.#view.from) / (this.#view.to - this.#view.from);
    this.#look(around + length * (0.5 - Math.min(Math.max(share, 0), 1)), length);
  }

  redraw = () => {
    this.#stale = true;
    this.#moved();
  };

  #look(middle, length) {
    const whole = this.time.duration, wide = Math.min(Math.max(length, Math.min(SHORTEST_VIEW_S, whole)), whole);
    const from = Math.min(Math.max(middle - wide / 2, 0), whole - wide);
    this.#view = {...this.#view, from, to: from + wide};
    this.redraw();
  }

  // While it plays, the view turns its page with the film.
  #follow(second) {
    const {from, to} = this.#view, length = to - from;
    if (!this.#drag && length < (this.time?.duration ?? 0) && (second < from || second > to)) this.#look(second + length * 0.4, length);
  }

  #moved() {
    if (this.#waiting || !this.film) return;
    this.#waiting = requestAnimationFrame(() => { this.#waiting = 0; this.#draw(); });
  }

  #draw() {
    const rows = rowsOf(Math.max(0, ...this.#lanes) + 1);
    if (this.#stale) {
      this.#stale = false;
      this.paint = palette();
      this.#view.width = this.stage.clientWidth;
      const ctx = fit(this.resting, this.#view.width, rows.height);
      this.stage.style.height = `${rows.height}px`;
      drawFilm(ctx, this.film, this.#view, rows, this.paint);
      drawBars(ctx, this.#shown(), this.#lanes, this.#view, rows, this.paint, this.chosen);
      this.strip.show(this.#view);
    }
    drawMoving(fit(this.moving, this.#view.width, rows.height), this.#state, this.#view, rows.height, this.paint);
  }

  // A bar that is being trimmed is drawn as it would be.
  #shown() {
    const drag = this.#drag;
    if (drag?.kind !== "edge") return this.#bars;
    return this.#bars.map((bar) => (bar === drag.bar ? {...bar, start_s: drag.start.second, end_s: drag.end.second} : bar));
  }

  #listen() {
    this.sizes = new ResizeObserver(this.redraw);
    this.sizes.observe(this.stage);
    this.light = matchMedia("(prefers-color-scheme: light)");
    this.light.addEventListener("change", this.redraw);
    this.stage.addEventListener("pointerdown", (event) => this.#down(event));
    this.stage.addEventListener("pointermove", (event) => this.#move(event));
    this.stage.addEventListener("pointerup", (event) => this.#up(event));
    this.stage.addEventListener("pointercancel", () => this.#let());
    this.stage.addEventListener("pointerleave", () => !this.#drag && this.#hover(null));
    this.stage.addEventListener("dblclick", (event) => {
      const hit = this.#hit(event);
      if (hit.bar) this.#send("playbar", hit.bar);
      else this.#send("seek", {second: hit.second, play: true});
    });
    this.addEventListener("wheel", (event) => this.#wheel(event), {passive: false});
  }

  #hit(event) {
    const box = this.stage.getBoundingClientRect(), rows = rowsOf(Math.max(0, ...this.#lanes) + 1), {from, to, width} = this.#view;
    const x = event.clientX - box.left, y = event.clientY - box.top, second = Math.min(Math.max(from + (to - from) * x / width, 0), this.time.duration);
    const lane = Math.floor((y - rows.lanes.top) / rows.lane), near = token("--edge") * (to - from) / width;
    if (y < rows.lanes.top || y > rows.lanes.top + rows.lanes.height) return {second, bar: null, edge: null};
    const here = this.#bars.filter((_, at) => this.#lanes[at] === lane);
    const bar = here.find((each) => second >= each.start_s - near && second <= each.end_s + near) ?? null;
    let edge = null;
    if (bar && this.mayEdit && Math.abs(second - bar.start_s) <= near) edge = "start";
    else if (bar && this.mayEdit && Math.abs(second - bar.end_s) <= near) edge = "end";
    return {second, bar, edge};
  }

  #down(event) {
    if (event.button || !this.film) return;
    const hit = this.#hit(event);
    this.stage.setPointerCapture(event.pointerId);
    if (hit.edge) {
      const {bar} = hit;
      this.#drag = {kind: "edge", edge: hit.edge, bar, start: {frame: bar.start_frame, second: bar.start_s}, end: {frame: bar.end_frame, second: bar.end_s}};
    } else if (hit.bar) this.#drag = {kind: "bar", bar: hit.bar};
    else this.#drag = {kind: "seek"}, this.#send("seek", {second: hit.second});
    if (hit.bar) this.#send("choose", hit.bar);
  }

  #move(event) {
    if (!this.film) return;
    const hit = this.#hit(event), drag = this.#drag;
    this.stage.style.cursor = drag?.kind === "edge" || hit.edge ? "ew-resize" : hit.bar ? "pointer" : "crosshair";
    if (drag?.kind === "seek") this.#send("seek", {second: hit.second});
    if (drag?.kind === "edge") {
      const cut = this.time.cutNear(hit.second);
      if (drag.edge === "start" ? cut.frame < drag.end.frame : cut.frame > drag.start.frame) drag[drag.edge] = cut;
      this.redraw();
    }
    this.#hover(hit.second, hit.bar);
  }

  #up() {
    const drag = this.#drag;
    this.#let();
    if (drag?.kind !== "edge") return;
    if (drag.start.frame !== drag.bar.start_frame || drag.end.frame !== drag.bar.end_frame) this.#send("trim", {bar: drag.bar, start: drag.start, end: drag.end});
  }

  #let() {
    this.#drag = null;
    this.redraw();
  }

  #wheel(event) {
    if (!this.film) return;
    const along = event.deltaX || (event.shiftKey ? event.deltaY : 0), {from, to, width} = this.#view;
    if (event.ctrlKey || event.metaKey) {
      event.preventDefault();
      const second = from + (to - from) * (event.clientX - this.stage.getBoundingClientRect().left) / width;
      this.zoom(Math.exp(-event.deltaY * WHEEL_ZOOM), second);
    } else if (along && to - from < this.time.duration) {
      event.preventDefault();
      this.#look((from + to) / 2 + along * (to - from) / width, to - from);
    }
  }

  #hover(second, bar = null) {
    this.#state.hover = second;
    this.tip.hidden = second === null;
    if (second !== null) {
      this.tip.replaceChildren(...this.#words(second, bar));
      const {from, to, width} = this.#view, at = (second - from) / (to - from) * width;
      const wide = this.tip.offsetWidth + TIP_PX, left = at + wide + TIP_PX > width ? at - wide : at + TIP_PX;
      this.tip.style.left = `${Math.min(Math.max(left, 0), Math.max(0, width - wide))}px`;
    }
    this.#moved();
  }

  #words(second, bar) {
    const shot = this.time.shots[this.time.shotAt(second)], curve = this.film.curve, at = Math.floor(second);
    const words = [this.time.code(second), `shot ${shot.number + 1}`, `scene ${shot.scene + 1}`];
    if (shot.dialogue_scene !== null) words.push(`dialogue of two, ${shot.dialogue_scene + 1}`);
    if (curve && curve.score[at] !== null && curve.score[at] !== undefined) words.push(`viral ${score(curve.viral[at])}`, `compelling ${score(curve.compelling[at])}`, `score ${score(curve.score[at])}`);
    const rest = bar ? [h("strong", {}, bar.rank ? ` clip ${bar.rank}: ` : " own clip: "), `${clock(bar.start_s)} – ${clock(bar.end_s)}, ${bar.score === null ? "not scored" : score(bar.score)}`] : [];
    return [words.join(" · "), ...rest];
  }

  #send(name, detail) {
    this.dispatchEvent(new CustomEvent(name, {detail}));
  }
}

customElements.define("selects-timeline", Timeline);

function key(name, words) {
  return h("span", {class: `key ${name}`}, words);
}

// A canvas as sharp as the screen is, wiped.
function fit(canvas, width, height) {
  const sharp = devicePixelRatio || 1, wide = Math.round(width * sharp), high = Math.round(height * sharp);
  if (canvas.width !== wide || canvas.height !== high) {
    Object.assign(canvas, {width: wide, height: high});
    Object.assign(canvas.style, {width: `${width}px`, height: `${height}px`});
  }
  const ctx = canvas.getContext("2d");
  ctx.setTransform(sharp, 0, 0, sharp, 0, 0);
  ctx.clearRect(0, 0, width, height);
  return ctx;
}
