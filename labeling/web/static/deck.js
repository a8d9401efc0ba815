// Five videos: the clip that is asked about, the three that come next, loaded to their first picture, and the one before.

import {h} from "./dom.js";

const COUNT = 5;
// The last picture is known by its time, which players round.
const LAST_FRAMES = 1.25;
const NEAR_END_S = 1.5;

// "time": detail is the film's second that is shown. "problem": detail is whether the clip cannot be played.
export class Deck extends EventTarget {
  #slots = [];
  #shown = null;
  #held = false;

  constructor() {
    super();
    this.element = h("div", {class: "deck"});
    for (let count = 0; count < COUNT; count++) this.#slots.push(this.#slot());
    this.element.append(...this.#slots.map((slot) => slot.video));
    this.muted = true;
    this.volume = 1;
  }

  // Shows and plays `current`; the others are made ready, in this order. Each is {key, source, start, end, frame} in seconds.
  // What is shown already goes on as it does.
  show(current, others) {
    const wanted = [current, ...others].filter(Boolean).slice(0, COUNT), keys = new Set(wanted.map((clip) => clip.key));
    const before = this.#shown;
    this.#shown = this.#give(current, keys);
    if (before !== this.#shown) this.#swap(before);
    for (const clip of wanted.slice(1)) this.#give(clip, keys);
  }

  // Other ends for what is shown; it plays from the new in point, or up to the new out point.
  trim({start, end}) {
    const {clip} = this.#shown, atEnd = end !== clip.end && start === clip.start;
    Object.assign(clip, {start, end});
    this.seek(atEnd ? Math.max(start, end - NEAR_END_S) : start);
  }

  seek(second) {
    const slot = this.#shown;
    if (!slot) return;
    slot.video.currentTime = Math.min(Math.max(second, slot.clip.start), slot.clip.end - slot.clip.frame) + slot.clip.frame / 2;
  }

  get second() {
    return this.#shown?.video.currentTime ?? 0;
  }

  get playing() {
    return Boolean(this.#shown) && !this.#shown.video.paused;
  }

  get video() {
    return this.#shown?.video ?? null;
  }

  play() {
    const {video} = this.#shown ?? {};
    video?.play().catch((error) => {
      if (error.name !== "NotAllowedError" || video.muted) return;
      this.sound(true, this.volume);
      video.play().catch(() => undefined);
    });
  }

  toggle() {
    if (this.playing) this.#shown.video.pause();
    else this.play();
  }

  // Nothing is to be heard while the page is not looked at; what played goes on when it is again.
  rest() {
    this.#held = this.playing;
    this.#shown?.video.pause();
  }

  wake() {
    if (this.#held) this.play();
    this.#held = false;
  }

  clear() {
    for (const slot of this.#slots) this.#empty(slot);
    this.#shown = null;
  }

  sound(muted, volume) {
    Object.assign(this, {muted, volume});
    for (const {video} of this.#slots) Object.assign(video, {muted, volume});
    this.dispatchEvent(new Event("sound"));
  }

  #slot() {
    const video = h("video", {preload: "auto", playsInline: true, muted: true, tabIndex: -1, disableRemotePlayback: true, "aria-hidden": "true"});
    const slot = {video, clip: null, source: ""};
    const shown = (_now, picture) => {
      if (slot === this.#shown) this.#tell(picture.mediaTime);
      video.requestVideoFrameCallback(shown);
    };
    if (video.requestVideoFrameCallback) video.requestVideoFrameCallback(shown);
    video.addEventListener("timeupdate", () => slot === this.#shown && this.#tell(video.currentTime));
    for (const name of ["play", "pause"]) video.addEventListener(name, () => slot === this.#shown && this.dispatchEvent(new Event("state")));
    video.addEventListener("ended", () => slot === this.#shown && this.#again());
    video.addEventListener("error", () => slot === this.#shown && this.#say());
    return slot;
  }

  // The slot of a clip: one that has it, else one that nobody wants.
  #give(clip, keys) {
    if (!clip) return null;
    const has = this.#slots.find((slot) => slot.clip?.key === clip.key);
    if (has?.clip.start === clip.start) {
      has.clip.end = clip.end;
      return has;
    }
    const free = this.#slots.filter((each) => !each.clip || !keys.has(each.clip.key));
    const slot = has ?? free.find((each) => each !== this.#shown) ?? free[0];
    slot.clip = {...clip};
    if (slot.source !== clip.source) {
      slot.video.src = clip.source;
      slot.source = clip.source;
    }
    slot.video.currentTime = clip.start + clip.frame / 2;
    return slot;
  }

  #swap(before) {
    const now = this.#shown;
    if (now) {
      now.video.classList.add("on");
      now.video.removeAttribute("aria-hidden");
      this.#held = false;
      this.play();
    }
    if (before) {
      before.video.classList.remove("on");
      before.video.setAttribute("aria-hidden", "true");
      before.video.pause();
      if (before.clip) before.video.currentTime = before.clip.start + before.clip.frame / 2;
    }
    this.#say();
  }

  #tell(second) {
    const {clip} = this.#shown;
    this.dispatchEvent(new CustomEvent("time", {detail: second}));
    if (this.playing && second >= clip.end - LAST_FRAMES * clip.frame) this.#again();
  }

  #again() {
    const {video, clip} = this.#shown;
    if (video.seeking) return;
    video.currentTime = clip.start + clip.frame / 2;
    if (video.paused) this.play();
  }

  #say() {
    this.dispatchEvent(new CustomEvent("problem", {detail: Boolean(this.#shown?.video.error)}));
  }

  #empty(slot) {
    slot.video.classList.remove("on");
    slot.video.pause();
    slot.video.removeAttribute("src");
    slot.video.load();
    Object.assign(slot, {clip: null, source: ""});
  }
}
