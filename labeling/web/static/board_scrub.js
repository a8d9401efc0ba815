// Passing over a thumbnail scrubs through its shot: one player, lent to the thumbnail under the mouse.

import {mediaOf} from "./api.js";
import {h} from "./dom.js";

const DWELL_MS = 90;
const NEAR_S = 0.02;

export class Scrub {
  #over = null;
  #item = null;
  #timer = null;
  #share = 0;

  // `itemAt`: id → item; `quiet`: whether nothing is to be shown now.
  constructor(area, {itemAt, quiet}) {
    Object.assign(this, {itemAt, quiet});
    this.video = h("video", {muted: true, playsInline: true, preload: "auto", class: "board-video", "aria-hidden": "true", disableRemotePlayback: true});
    this.video.addEventListener("seeked", () => { this.video.classList.add("on"); this.#seek(); });
    this.video.addEventListener("loadedmetadata", () => this.#seek());
    this.head = h("span", {class: "board-scrub-head"});
    area.addEventListener("pointermove", (event) => event.pointerType === "mouse" && this.#pass(event));
    area.addEventListener("pointerleave", () => this.rest());
    area.addEventListener("pointerdown", () => this.rest());
  }

  #pass(event) {
    const tile = this.quiet() ? null : event.target.closest?.(".tile");
    if (tile !== this.#over) {
      this.rest();
      this.#over = tile;
      if (tile) this.#timer = setTimeout(() => this.#lend(), DWELL_MS);
    }
    if (!tile) return;
    const box = tile.getBoundingClientRect();
    this.#share = Math.min(Math.max((event.clientX - box.left) / box.width, 0), 1);
    this.#seek();
  }

  #lend() {
    const item = this.#item = this.itemAt(Number(this.#over.dataset.id)), source = mediaOf(item?.movie_id);
    if (!item) return;
    this.#over.append(this.video, this.head);
    if (this.video.getAttribute("src") !== source) this.video.src = source;
    this.#seek();
  }

  #seek() {
    const {video} = this, item = this.#item;
    if (!item) return;
    this.head.style.left = `${100 * this.#share}%`;
    const second = item.start_s + this.#share * Math.max(0, item.end_s - item.start_s - NEAR_S);
    if (!video.readyState || video.seeking) return;
    if (Math.abs(video.currentTime - second) > NEAR_S) video.currentTime = second;
    else video.classList.add("on");
  }

  rest() {
    clearTimeout(this.#timer);
    this.#over = this.#item = null;
    this.video.classList.remove("on");
    this.video.remove();
    this.head.remove();
  }
}
