// What was found, as thumbnails: passing over one plays the moment, m asks for more like it.

import {mediaOf} from "./api.js";
import {button, h} from "./dom.js";
import {clock, score} from "./words.js";

const DWELL_MS = 180;

// Calls like(hit).
export class Hits {
  #hits = new Map();
  #timer = null;

  constructor({like}) {
    this.like = like;
    this.element = h("ol", {class: "hits", "aria-label": "What was found"});
    this.video = h("video", {muted: true, playsInline: true, preload: "auto", class: "hit-video", "aria-hidden": "true", disableRemotePlayback: true});
    this.video.addEventListener("timeupdate", () => this.#round());
    this.video.addEventListener("playing", () => this.video.classList.add("on"));
    this.element.addEventListener("pointerover", (event) => this.#enter(event.target.closest(".hit")));
    this.element.addEventListener("pointerleave", () => this.#enter(null));
    this.element.addEventListener("focusin", (event) => this.#enter(event.target.closest(".hit")));
    this.element.addEventListener("keydown", (event) => {
      const item = event.target.closest(".hit");
      if (item && event.key === "m") this.like(this.#hits.get(item));
    });
  }

  clear() {
    this.#enter(null);
    this.#hits.clear();
    this.element.replaceChildren();
  }

  add(hits) {
    for (const hit of hits) {
      const item = this.#item(hit);
      this.#hits.set(item, hit);
      this.element.append(item);
    }
  }

  #item(hit) {
    const at = `/movies/${hit.movie_id}?t=${hit.start_s.toFixed(3)}`, place = `${hit.movie_title}, ${clock(hit.start_s)}`;
    const picture = h("a", {class: "hit-picture", href: at, "aria-label": `Open ${place}`}, hit.picture ? h("img", {src: hit.picture, alt: "", loading: "lazy", decoding: "async"}) : null);
    const [why] = hit.found_by;
    return h("li", {class: "hit"}, picture,
      button("", () => this.like(hit), {kind: "plain thumb-like", symbol: "like", title: "More like this (m)"}),
      h("div", {class: "hit-words"}, h("span", {class: "hit-title", title: hit.movie_title}, hit.movie_title), h("span", {class: "num muted"}, clock(hit.start_s)),
        h("span", {class: "hit-score num", title: "1 is the same, 0 has nothing to do with it"}, score(hit.score))),
      h("p", {class: "small muted hit-why"}, reason(why)));
  }

  #enter(item) {
    if (item === this.over) return;
    this.over = item;
    clearTimeout(this.#timer);
    this.video.pause();
    this.video.classList.remove("on");
    if (!item || matchMedia("(prefers-reduced-motion: reduce)").matches) return this.video.remove();
    this.#timer = setTimeout(() => this.#play(item), DWELL_MS);
    return undefined;
  }

  #play(item) {
    const hit = this.#hits.get(item), source = mediaOf(hit.movie_id);
    item.querySelector(".hit-picture").append(this.video);
    if (this.video.getAttribute("src") !== source) this.video.src = source;
    this.video.currentTime = hit.start_s;
    this.video.play().catch(() => undefined);
  }

  // The moment again and again.
  #round() {
    const hit = this.#hits.get(this.over);
    if (hit && this.video.currentTime >= hit.end_s) this.video.currentTime = hit.start_s;
  }
}

function reason(why) {
  if (why.by === "dialogue") return ["“", ...marked(why.text, why.marks), "”"];
  if (why.by === "label") return h("span", {}, "seems to show ", ...marked(why.text, why.marks));
  return h("span", {}, "looks like it");
}

// The text with the words that were searched for in <mark>; the marks count letters, not the halves of rare ones.
function marked(text, marks) {
  const letters = [...text], parts = [], slice = (from, to) => letters.slice(from, to).join("");
  let at = 0;
  for (const [start, end] of [...marks].sort((one, other) => one[0] - other[0])) {
    if (start < at) continue;
    parts.push(slice(at, start), h("mark", {}, slice(start, end)));
    at = end;
  }
  return [...parts, slice(at)];
}
