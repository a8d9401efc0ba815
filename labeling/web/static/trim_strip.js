// The scene in thumbnails: two shots before the clip, the clip with ends to drag, two shots after.

import {h, token} from "./dom.js";
import {moved, placed} from "./trim.js";
import {clock} from "./words.js";

const BESIDE = 2;
const STEPS = {ArrowLeft: -1, ArrowRight: 1};

// Calls seek(second) and change(window); a window is {start, end} in frames.
export class TrimStrip {
  #film = null;
  #window = null;
  view = {from: 0, to: 1};
  #slots = [];

  constructor({seek, change}) {
    Object.assign(this, {seek, change});
    this.thumbs = h("ol", {class: "trim-thumbs", "aria-hidden": "true"});
    this.scenes = h("div", {class: "trim-scenes"});
    this.before = h("div", {class: "trim-out"});
    this.after = h("div", {class: "trim-out"});
    this.head = h("div", {class: "trim-head"});
    this.ends = {in: this.#handle("in", "In point"), out: this.#handle("out", "Out point")};
    this.element = h("div", {class: "trim-strip", role: "group", "aria-label": "The clip in its scene"},
      this.thumbs, this.before, this.after, this.scenes, this.head, this.ends.in, this.ends.out);
    this.element.addEventListener("click", (event) => !event.target.closest(".trim-end") && this.#film && this.seek(this.#secondAt(event.clientX)));
    new ResizeObserver(() => this.#film && this.#draw()).observe(this.element);
  }

  // `film` is {movie, shots, time}, or null while it is not known.
  show(film, window) {
    this.#film = film?.shots.length ? film : null;
    this.#window = window;
    this.element.classList.toggle("unknown", !this.#film);
    if (!this.#film) return this.thumbs.replaceChildren(), this.#slots = [];
    this.view = viewOf(this.#film, window);
    return this.#draw();
  }

  set second(second) {
    if (this.#film) this.head.style.left = `${100 * this.#share(second)}%`;
  }

  #draw() {
    const {width} = this.element.getBoundingClientRect(), count = Math.max(1, Math.floor(width / token("--trim-thumb")));
    if (this.#slots.length !== count) {
      this.#slots = Array.from({length: count}, () => h("img", {alt: "", decoding: "async", draggable: false}));
      this.thumbs.replaceChildren(...this.#slots.map((picture) => h("li", {}, picture)));
    }
    const {from, to} = this.view, {time} = this.#film;
    this.#slots.forEach((picture, at) => {
      const shot = time.shots[time.shotAt(from + (to - from) * (at + 0.5) / count)];
      picture.hidden = !shot.picture;
      if (shot.picture && picture.getAttribute("src") !== shot.picture) picture.src = shot.picture;
    });
    this.#drawScenes();
    this.#place();
  }

  #drawScenes() {
    const edges = this.#film.shots.filter((shot, at, all) => at && shot.scene !== all[at - 1].scene).map((shot) => this.#share(shot.start_s));
    this.scenes.replaceChildren(...edges.filter((share) => share > 0 && share < 1).map((share) => h("span", {style: `left: ${100 * share}%`, title: "A scene begins"})));
  }

  #place() {
    const {time} = this.#film, from = time.secondOf(this.#window.start), to = time.secondOf(this.#window.end);
    this.before.style.width = `${100 * this.#share(from)}%`;
    this.after.style.width = `${100 - 100 * this.#share(to)}%`;
    this.after.style.left = `${100 * this.#share(to)}%`;
    this.#tell(this.ends.in, from, time.code(from));
    this.#tell(this.ends.out, to, time.code(to));
  }

  #tell(handle, second, code) {
    handle.style.left = `${100 * this.#share(second)}%`;
    handle.setAttribute("aria-valuenow", second.toFixed(2));
    handle.setAttribute("aria-valuetext", `${clock(second)}, ${code}`);
    handle.title = code;
  }

  #share(second) {
    return Math.min(Math.max((second - this.view.from) / (this.view.to - this.view.from), 0), 1);
  }

  #secondAt(x) {
    const box = this.element.getBoundingClientRect(), {from, to} = this.view;
    return from + (to - from) * Math.min(Math.max((x - box.left) / box.width, 0), 1);
  }

  #handle(which, label) {
    const handle = h("div", {class: `trim-end ${which}`, role: "slider", tabIndex: 0, "aria-label": label, "aria-valuenow": 0});
    handle.addEventListener("pointerdown", (event) => this.#drag(handle, which, event));
    handle.addEventListener("keydown", (event) => {
      const step = STEPS[event.key];
      if (!step || !this.#film) return;
      event.preventDefault();
      event.stopPropagation();
      this.change(moved(this.#film, this.#window, which, step, {byFrame: event.shiftKey}));
    });
    return handle;
  }

  // To cuts; with Shift to single frames.
  #drag(handle, which, begun) {
    if (!this.#film || begun.button) return;
    begun.preventDefault();
    handle.setPointerCapture(begun.pointerId);
    const before = this.#window, stop = new AbortController(), {signal} = stop;
    const to = (event) => {
      const second = this.#secondAt(event.clientX), {time} = this.#film;
      this.#window = placed(this.#film, this.#window, which, event.shiftKey ? time.frameAt(second) : time.cutNear(second).frame);
      this.#place();
    };
    const done = (event) => {
      stop.abort();
      const window = event.type === "pointerup" ? this.#window : before;
      this.#window = before;
      this.change(window);
    };
    handle.addEventListener("pointermove", to, {signal});
    for (const name of ["pointerup", "pointercancel"]) handle.addEventListener(name, done, {signal});
  }
}

function viewOf({shots, time}, window) {
  const from = time.shotAt(time.secondOf(window.start)), to = time.shotAt(time.secondOf(window.end - 1));
  return {from: shots[Math.max(0, from - BESIDE)].start_s, to: shots[Math.min(shots.length - 1, to + BESIDE)].end_s};
}
