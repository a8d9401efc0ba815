// Five videos: the clip that is asked about, the three that come next, loaded to their first picture, and the one before.

import {h} from "./dom.js";

const COUNT = 5;
// The last picture is known by its time, which players round.
const LAST_FRAMES = 1.25;
// How far into its first picture a clip waits: the second comes at once when it plays.
const WAITING_SHARE = 0.9;
// The others are made ready when what is shown plays; where that takes longer, then.
const PATIENCE_MS = 400;
const NEAR_END_S = 1.5;
// A player does not find out by itself that the connection is back: what broke is loaded again.
const AGAIN_MS = 1000, LONGEST_AGAIN_MS = 10000;
// A clip that shows no picture for so long is one that cannot be played now.
const LATE_MS = 3000;

// "time": detail is the film's second that is shown. "problem": `problem` may be another.
export class Deck extends EventTarget {
  #slots = [];
  #shown = null;
  #held = false;
  #resting = false;
  #due = null;
  #tries = 0;
  #mending = null;
  #waited = null;
  #late = false;

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
    this.#later(() => wanted.slice(1).forEach((clip) => this.#give(clip, keys)));
  }

  // Once the next picture of what is shown has come, which nothing is to keep waiting; where none comes, soon.
  afterPicture(work) {
    let waits = true;
    const run = () => waits && (waits = false, work());
    this.#shown?.video.requestVideoFrameCallback?.(run);
    setTimeout(run, PATIENCE_MS);
  }

  // What is asked later counts.
  #later(work) {
    this.#due = work;
    this.afterPicture(() => {
      if (this.#due !== work) return;
      this.#due = null;
      work();
    });
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
    slot.video.currentTime = Math.min(Math.max(second, slot.clip.start), slot.clip.end - slot.clip.frame) + slot.clip.frame * WAITING_SHARE;
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

  // Whether what is shown cannot be played now.
  get problem() {
    const video = this.#shown?.video;
    return Boolean(video && (video.error || (this.#late && video.readyState < HTMLMediaElement.HAVE_CURRENT_DATA)));
  }

  // Whether somebody has seen something of the clip that is shown.
  get seen() {
    return Boolean(this.#shown?.seen);
  }

  // Loads at once what broke, not when its time has come.
  again() {
    this.#tries = 0;
    clearTimeout(this.#mending);
    this.#mend();
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

  // Nothing is to be heard while the page is not looked at; what played goes on when it is again. Nothing is loaded
  // either: browsers hold six connections to a server, for all windows together, and who decides needs one.
  rest() {
    this.#resting = true;
    this.#held ||= this.playing;
    this.#due = null;
    for (const slot of this.#slots.filter(({source}) => source)) {
      slot.second = slot.video.currentTime;
      this.#unload(slot);
    }
  }

  wake() {
    this.#resting = false;
    this.#load(this.#shown);
    this.#await();
    if (this.#held) this.play();
    this.#held = false;
    this.#later(() => this.#slots.forEach((slot) => this.#load(slot)));
  }

  clear() {
    this.#due = null;
    for (const slot of this.#slots) this.#empty(slot);
    this.#shown = null;
  }

  sound(muted, volume) {
    Object.assign(this, {muted, volume});
    for (const slot of this.#slots) Object.assign(slot.video, {muted: muted || slot !== this.#shown, volume});
    this.dispatchEvent(new Event("sound"));
  }

  #slot() {
    const video = h("video", {preload: "auto", playsInline: true, muted: true, tabIndex: -1, disableRemotePlayback: true, "aria-hidden": "true"});
    const slot = {video, clip: null, source: "", second: 0, seen: false};
    const shown = (_now, picture) => {
      if (slot === this.#shown) {
        // Not by its time, which changes without a picture too.
        slot.seen ||= picture.mediaTime >= slot.clip.start - slot.clip.frame;
        this.#tell(picture.mediaTime);
      }
      video.requestVideoFrameCallback(shown);
    };
    if (video.requestVideoFrameCallback) video.requestVideoFrameCallback(shown);
    video.addEventListener("timeupdate", () => slot === this.#shown && this.#tell(video.currentTime));
    for (const name of ["play", "pause"]) video.addEventListener(name, () => slot === this.#shown && this.dispatchEvent(new Event("state")));
    video.addEventListener("ended", () => slot === this.#shown && this.#again());
    for (const name of ["loadeddata", "canplay"]) video.addEventListener(name, () => slot === this.#shown && this.#say());
    video.addEventListener("error", () => this.#broke(slot));
    return slot;
  }

  #broke(slot) {
    if (slot === this.#shown) this.#say();
    this.#mending ??= setTimeout(() => this.#mend(), Math.min(AGAIN_MS * 2 ** this.#tries++, LONGEST_AGAIN_MS));
  }

  // Loads again what broke; the words stay until there is a picture.
  #mend() {
    this.#mending = null;
    for (const slot of this.#slots.filter(({clip, video}) => clip && video.error)) {
      slot.video.load();
      slot.video.currentTime = slot.clip.start + slot.clip.frame * WAITING_SHARE;
      if (slot !== this.#shown) continue;
      if (this.#resting) this.#held = true;
      else this.play();
    }
  }

  // The slot of a clip: one that has it, else one that nobody wants; it waits at the clip's first picture.
  #give(clip, keys) {
    if (!clip) return null;
    const has = this.#slots.find((slot) => slot.clip?.key === clip.key), plays = has && has === this.#shown && has.clip.start === clip.start;
    const free = this.#slots.filter((each) => !each.clip || !keys.has(each.clip.key));
    const slot = has ?? free.find((each) => each !== this.#shown) ?? free[0], {video} = slot, first = clip.start + clip.frame * WAITING_SHARE;
    if (!has) slot.seen = false;
    slot.clip = {...clip};
    if (slot.source !== clip.source) video.src = slot.source = clip.source;
    if (!plays && Math.abs(video.currentTime - first) > clip.frame / 4) video.currentTime = first;
    return slot;
  }

  #swap(before) {
    const now = this.#shown;
    // Its sound comes with its second picture: players that open it first show that picture 40 ms later.
    if (before) before.video.muted = true;
    if (now) {
      const sound = () => { if (now === this.#shown) now.video.muted = this.muted; };
      if (now.video.requestVideoFrameCallback) now.video.requestVideoFrameCallback(sound);
      else sound();
      now.video.classList.add("on");
      now.video.removeAttribute("aria-hidden");
      this.#held = false;
      this.play();
    }
    if (before) {
      before.video.classList.remove("on");
      before.video.setAttribute("aria-hidden", "true");
      before.video.pause();
    }
    this.#await();
  }

  // It is late once it has had its time.
  #await() {
    clearTimeout(this.#waited);
    this.#late = false;
    this.#waited = setTimeout(() => { this.#late = !this.#resting; this.#say(); }, LATE_MS);
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
    video.currentTime = clip.start + clip.frame * WAITING_SHARE;
    if (video.paused) this.play();
  }

  #say() {
    if (this.#shown && !this.#shown.video.error) this.#tries = 0;
    this.dispatchEvent(new Event("problem"));
  }

  // What rested goes on where it was.
  #load(slot) {
    if (!slot?.clip || slot.source) return;
    slot.video.src = slot.source = slot.clip.source;
    slot.video.currentTime = slot.second;
  }

  #unload(slot) {
    slot.video.pause();
    slot.video.removeAttribute("src");
    slot.video.load();
    slot.source = "";
  }

  #empty(slot) {
    slot.video.classList.remove("on");
    this.#unload(slot);
    slot.clip = null;
  }
}
