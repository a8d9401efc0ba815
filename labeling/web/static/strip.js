// Shots as thumbnails, as many as fit: each stands for its part of the view. Passing over one scrubs through its shots.

import {button, h, token} from "./dom.js";

// Calls play(second), like(shot) and hover(second or null).
export class Strip {
  #thumbs = [];
  #view = {from: 0, to: 1, width: 0};

  constructor(movie, time, {play, like, hover}) {
    Object.assign(this, {movie, time, play, like, hover});
    this.element = h("ol", {class: "strip", "aria-label": "Shots"});
    this.element.addEventListener("pointermove", (event) => this.#scrub(event));
    this.element.addEventListener("pointerleave", () => this.#rest());
    this.element.addEventListener("keydown", (event) => this.#key(event));
  }

  show(view) {
    this.#view = view;
    const count = Math.max(1, Math.floor(view.width / token("--strip-thumb")));
    while (this.#thumbs.length < count) this.#thumbs.push(this.#thumb());
    while (this.#thumbs.length > count) this.#thumbs.pop().item.remove();
    this.#thumbs.forEach((thumb, at) => this.#place(thumb, this.#middle(at)));
  }

  #middle(at) {
    const {from, to} = this.#view;
    return from + (to - from) * (at + 0.5) / this.#thumbs.length;
  }

  #thumb() {
    const picture = h("img", {alt: "", loading: "lazy", decoding: "async", draggable: false});
    const thumb = {picture, second: 0, shot: null};
    thumb.open = h("button", {type: "button", class: "strip-play", onclick: () => this.play(thumb.shown ?? thumb.second)}, picture);
    thumb.alike = button("", () => this.like(thumb.now ?? thumb.shot), {kind: "plain thumb-like", symbol: "like", title: "More like this (m)"});
    thumb.item = h("li", {class: "thumb"}, thumb.open, thumb.alike);
    this.element.append(thumb.item);
    return thumb;
  }

  #place(thumb, second) {
    const shot = this.time.shots[this.time.shotAt(second)];
    Object.assign(thumb, {second: this.#kept(shot, second), shot, shown: null, now: null});
    thumb.open.setAttribute("aria-label", `Play shot ${shot.number + 1} at ${this.time.code(thumb.second)}`);
    this.#picture(thumb, second);
  }

  // A slot plays its shot from the start, where that is in view; else from the slot's own place.
  #kept(shot, second) {
    return shot.start_s >= this.#view.from ? shot.start_s : second;
  }

  #picture(thumb, second) {
    const frame = this.time.keyframeAt(second);
    thumb.picture.hidden = frame === null;
    if (frame === null) return;
    const source = `/api/movies/${this.movie.id}/frames/${frame}.jpg?of=${(this.movie.sha256 || "").slice(0, 8)}`;
    if (thumb.picture.getAttribute("src") !== source) thumb.picture.src = source;
  }

  #scrub(event) {
    const thumb = this.#thumbs.find((each) => each.item.contains(event.target));
    if (!thumb) return;
    if (this.passing !== thumb) this.#rest();
    this.passing = thumb;
    const box = this.element.getBoundingClientRect(), {from, to} = this.#view;
    const second = from + (to - from) * (event.clientX - box.left) / box.width;
    thumb.shown = second;
    thumb.now = this.time.shots[this.time.shotAt(second)];
    this.#picture(thumb, second);
    this.hover(second);
  }

  #rest() {
    const thumb = this.passing;
    if (!thumb) return;
    this.passing = null;
    this.#place(thumb, this.#middle(this.#thumbs.indexOf(thumb)));
    this.hover(null);
  }

  #key(event) {
    const thumb = this.#thumbs.find((each) => each.item.contains(event.target));
    if (event.key !== "m" || !thumb) return;
    event.stopPropagation();
    this.like(thumb.shot);
  }
}
