// Plays a whole list end to end: two videos take turns, the next clip is loaded while one plays.

import {mediaOf} from "./api.js";
import {button, h, icon} from "./dom.js";
import {codeAt, secondOf} from "./list_words.js";
import {fullButton, Sound, toggleFull} from "./playing.js";
import {clock, rateOf} from "./words.js";

const MIDDLE = 0.5;
const LOST_MS = 1500;

// "clip": detail is the entry that is shown. "playing": detail is whether it plays.
class ListPlayer extends HTMLElement {
  entries = [];
  #at = -1;
  #front = 0;
  #on = false;
  #loaded = [null, null];

  connectedCallback() {
    if (this.videos) return;
    this.className = "player list-player";
    this.videos = [0, 1].map(() => h("video", {preload: "auto", playsInline: true, tabIndex: -1, "aria-hidden": "true", disableRemotePlayback: true}));
    this.problem = h("p", {class: "player-problem", role: "alert", hidden: true});
    this.toggler = button("", () => this.toggle(), {kind: "plain", symbol: "play", title: "Play the list, or pause (space)"});
    this.clock = h("output", {class: "num player-clock", "aria-label": "Time in the list"});
    this.mark = h("span", {class: "muted small wrap player-mark"});
    this.sound = new Sound(this.videos, "Sound on or off (m)");
    this.band = h("div", {class: "list-band", role: "slider", tabIndex: 0, "aria-label": "Place in the list", "aria-valuemin": 0, onclick: (event) => this.#pick(event), onkeydown: (event) => this.#key(event)});
    this.append(h("div", {class: "player-picture", onclick: () => this.toggle()}, this.videos, this.problem), this.band,
      h("div", {class: "player-controls"}, this.toggler, this.clock, this.mark, this.sound.controls, fullButton(this)));
    for (const video of this.videos) this.#listen(video);
  }

  disconnectedCallback() {
    this.pause();
    for (const video of this.videos) video.removeAttribute("src"), video.load();
    this.#loaded = [null, null];
  }

  // The clips as they are now; what is shown stays where it is still there.
  show(entries) {
    const shown = this.current, before = shown && JSON.stringify([shown.start_frame, shown.end_frame]);
    this.entries = entries;
    const at = shown ? entries.findIndex((each) => each.id === shown.id) : -1;
    this.#at = at;
    this.#drawBand();
    if (!entries.length) return this.#clear();
    if (at < 0) return this.go(Math.min(Math.max(this.lastAt ?? 0, 0), entries.length - 1), {play: false});
    if (JSON.stringify([entries[at].start_frame, entries[at].end_frame]) !== before) this.#tell();
    return this.#ahead();
  }

  get current() {
    return this.entries[this.#at] ?? null;
  }

  get plays() {
    return this.#on;
  }

  get #video() {
    return this.videos[this.#front];
  }

  // To a clip of the list, at a second of its own.
  go(at, {play = this.#on, second = 0} = {}) {
    const entry = this.entries[at];
    if (!entry) return;
    const back = 1 - this.#front;
    if (this.#loaded[back]?.id === entry.id && this.#loaded[back].at === entry.start_s + second) this.#turn();
    else this.#load(this.#front, entry, entry.start_s + second);
    this.#at = this.lastAt = at;
    this.#on = play;
    if (play) this.#play();
    else this.videos.forEach((video) => video.pause());
    this.#state();
    this.dispatchEvent(new CustomEvent("clip", {detail: entry}));
    this.#ahead();
  }

  goTo(id, options) {
    this.go(this.entries.findIndex((each) => each.id === id), options);
  }

  // Shows a frame of the clip while one trims it.
  peek(frame) {
    const entry = this.current;
    if (!entry) return;
    this.pause();
    this.#video.currentTime = secondOf(entry, frame) + MIDDLE / rateOf(entry.rate);
  }

  toggle() {
    if (this.#on) return this.pause();
    if (!this.current) return undefined;
    const done = this.#at === this.entries.length - 1 && this.#over();
    if (done) return this.go(0, {play: true});
    if (this.#over() || this.#video.currentTime < this.current.start_s - MIDDLE) return this.go(this.#at, {play: true});
    this.#on = true;
    this.#play();
    return this.#state();
  }

  pause() {
    this.#on = false;
    this.videos.forEach((video) => video.pause());
    this.#state();
  }

  step(by) {
    if (this.entries.length) this.go(Math.min(Math.max(this.#at + by, 0), this.entries.length - 1));
  }

  full() {
    toggleFull(this);
  }

  mute() {
    this.sound.mute();
  }

  #listen(video) {
    const shown = (_now, picture) => {
      if (video === this.#video) this.#watch(picture.mediaTime);
      video.requestVideoFrameCallback(shown);
    };
    if (video.requestVideoFrameCallback) video.requestVideoFrameCallback(shown);
    video.addEventListener("timeupdate", () => video === this.#video && this.#watch(video.currentTime));
    video.addEventListener("ended", () => video === this.#video && this.#on && this.#next());
    video.addEventListener("error", () => video === this.#video && this.#failed());
  }

  // The last frame of a clip is shown for as long as any other.
  #watch(second) {
    this.#tell();
    const entry = this.current;
    if (this.#on && entry && !this.#video.seeking && second >= entry.end_s - MIDDLE / rateOf(entry.rate)) this.#next();
  }

  #over() {
    const entry = this.current;
    return entry && this.#video.currentTime >= entry.end_s - 1.5 / rateOf(entry.rate);
  }

  #next() {
    if (this.#at + 1 < this.entries.length) this.go(this.#at + 1);
    else this.pause();
  }

  #load(which, entry, at) {
    const video = this.videos[which], address = mediaOf(entry.movie_id);
    this.#loaded[which] = {id: entry.id, at};
    this.problem.hidden = true;
    if (entry.movie_id === null) return this.#lost(entry);
    if (video.getAttribute("src") !== address) video.src = address;
    video.currentTime = at + MIDDLE / rateOf(entry.rate);
    return undefined;
  }

  #ahead() {
    const next = this.entries[this.#at + 1], back = 1 - this.#front;
    if (next?.movie_id != null && (this.#loaded[back]?.id !== next.id || this.#loaded[back].at !== next.start_s)) this.#load(back, next, next.start_s);
  }

  #turn() {
    this.#front = 1 - this.#front;
    this.videos[1 - this.#front].pause();
    this.problem.hidden = true;
    this.videos.forEach((video, which) => video.classList.toggle("on", which === this.#front));
  }

  #play() {
    this.videos.forEach((video, which) => video.classList.toggle("on", which === this.#front));
    this.sound.play(this.#video);
  }

  #state() {
    this.videos.forEach((video, which) => video.classList.toggle("on", which === this.#front));
    this.toggler.replaceChildren(icon(this.#on ? "pause" : "play"));
    this.#tell();
    this.dispatchEvent(new CustomEvent("playing", {detail: this.#on}));
  }

  #tell() {
    const entry = this.current;
    if (!entry) return;
    const before = this.entries.slice(0, this.#at).reduce((sum, each) => sum + each.duration_s, 0), total = this.entries.reduce((sum, each) => sum + each.duration_s, 0);
    const inside = Math.min(Math.max(this.#video.currentTime - entry.start_s, 0), entry.duration_s);
    this.clock.textContent = `${clock(before + inside)} / ${clock(total)}`;
    this.clock.title = codeAt(entry, inside);
    this.mark.textContent = `${this.#at + 1} of ${this.entries.length} · ${entry.name}`;
    this.band.setAttribute("aria-valuemax", Math.round(total));
    this.band.setAttribute("aria-valuenow", Math.round(before + inside));
    this.band.setAttribute("aria-valuetext", `${this.clock.textContent}, ${entry.name}`);
    this.head.style.left = `${total ? (100 * (before + inside)) / total : 0}%`;
    for (const [place, part] of this.parts.entries()) part.classList.toggle("on", place === this.#at);
  }

  #drawBand() {
    this.head = h("span", {class: "list-head"});
    this.parts = this.entries.map((entry) => {
      const part = h("span", {class: `list-part ${entry.blocked.length ? "blocked" : ""}`, title: `${entry.name} (${clock(entry.duration_s)})`});
      part.style.flexGrow = String(Math.max(entry.duration_s, 0.01));
      return part;
    });
    this.band.replaceChildren(...this.parts, this.head);
    if (this.current) this.#tell();
  }

  #pick(event) {
    const box = this.band.getBoundingClientRect(), total = this.entries.reduce((sum, each) => sum + each.duration_s, 0);
    let second = ((event.clientX - box.left) / Math.max(box.width, 1)) * total;
    for (const [at, entry] of this.entries.entries()) {
      if (second < entry.duration_s || at === this.entries.length - 1) return this.go(at, {second: Math.min(second, entry.duration_s - 0.1)});
      second -= entry.duration_s;
    }
    return undefined;
  }

  #key(event) {
    const step = {ArrowRight: 1, ArrowLeft: -1}[event.key];
    if (!step) return;
    event.preventDefault();
    event.stopPropagation();
    this.step(step);
  }

  #clear() {
    this.pause();
    this.mark.textContent = this.clock.textContent = "";
    for (const video of this.videos) video.removeAttribute("src"), video.load();
    this.#loaded = [null, null];
    return undefined;
  }

  #failed() {
    if (this.#video.error && this.#video.getAttribute("src")) this.#lost(this.current);
  }

  #lost(entry) {
    this.problem.textContent = `${entry?.movie_title ?? "The film"} cannot be played here: its file may be gone. Analyse it again, or take the clip out.`;
    this.problem.hidden = false;
    setTimeout(() => this.#on && this.current === entry && this.#next(), LOST_MS);
  }
}

customElements.define("selects-list-player", ListPlayer);
