// The film, by range requests, with the film's own clock. It tells its time with each new picture that is shown.

import {mediaOf} from "./api.js";
import {button, h, icon} from "./dom.js";
import {fullButton, Sound, toggleFull} from "./playing.js";

// "time": detail is the film's second. "playing": detail is whether it plays.
class Player extends HTMLElement {
  #until = null;
  #time = null;

  connectedCallback() {
    if (this.video) return;
    this.className = "player";
    this.video = h("video", {preload: "metadata", playsInline: true, tabIndex: -1, "aria-label": "The film", disableRemotePlayback: true});
    this.problem = h("p", {class: "player-problem", role: "alert", hidden: true});
    this.toggler = button("", () => this.toggle(), {kind: "plain", symbol: "play", title: "Play or pause (space)"});
    this.clock = h("output", {class: "num player-clock", "aria-label": "Timecode"});
    this.mark = h("span", {class: "muted small wrap player-mark"});
    this.sound = new Sound([this.video]);
    this.append(h("div", {class: "player-picture", onclick: () => this.toggle()}, this.video, this.problem),
      h("div", {class: "player-controls"}, this.toggler, this.clock, this.mark, this.sound.controls, fullButton(this)));
    this.#listen();
  }

  disconnectedCallback() {
    this.video.pause();
    this.video.removeAttribute("src");
    this.video.load();
  }

  // `time` is the film's FilmTime; its second 0 is the first picture, as it is the video's.
  open(movie, time) {
    this.#time = time;
    this.video.poster = movie.picture ?? "";
    this.video.src = mediaOf(movie.id);
    this.#tell(0);
  }

  get second() {
    return this.video.currentTime;
  }

  get playing() {
    return !this.video.paused && !this.video.ended;
  }

  seek(second, {play = false, until = null} = {}) {
    const time = this.#time, frame = time.frameAt(Math.min(Math.max(second, 0), time.duration));
    this.#until = until;
    this.video.currentTime = time.middleOf(frame);
    this.#tell(this.video.currentTime);
    if (play) this.play();
  }

  // By frames, from the one that is shown.
  step(frames) {
    this.video.pause();
    const time = this.#time;
    this.seek(time.secondOf(Math.min(Math.max(time.frameAt(this.second) + frames, 0), time.frames - 1)));
  }

  play() {
    this.sound.play(this.video);
  }

  toggle() {
    if (this.playing) this.video.pause();
    else this.play();
  }

  say(words) {
    this.mark.textContent = words;
  }

  #listen() {
    const state = () => {
      this.toggler.replaceChildren(icon(this.playing ? "pause" : "play"));
      this.dispatchEvent(new CustomEvent("playing", {detail: this.playing}));
    };
    for (const name of ["play", "pause", "ended"]) this.video.addEventListener(name, state);
    this.video.addEventListener("seeked", () => this.#tell(this.second));
    this.video.addEventListener("timeupdate", () => this.#ended());
    this.video.addEventListener("error", () => this.#failed());
    const shown = (_now, picture) => {
      this.#tell(picture.mediaTime);
      this.#ended();
      this.video.requestVideoFrameCallback(shown);
    };
    if (this.video.requestVideoFrameCallback) this.video.requestVideoFrameCallback(shown);
    else this.video.addEventListener("timeupdate", () => this.#tell(this.second));
  }

  #ended() {
    if (this.#until !== null && this.playing && this.second >= this.#until - 0.5 / this.#time.rate) {
      this.video.pause();
      this.#until = null;
    }
  }

  #tell(second) {
    if (!this.#time) return;
    this.clock.textContent = this.#time.code(second);
    this.dispatchEvent(new CustomEvent("time", {detail: second}));
  }

  #failed() {
    if (!this.video.error || !this.video.getAttribute("src")) return;
    this.problem.textContent = "The film cannot be played here: its file may be gone, or this browser does not know its kind. Analyse it again to make a copy for browsers.";
    this.problem.hidden = false;
  }

  full() {
    toggleFull(this);
  }
}

customElements.define("selects-player", Player);
