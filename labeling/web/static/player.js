// The film, by range requests, with the film's own clock. It tells its time with each new picture that is shown.

import {mediaOf} from "./api.js";
import {remember, remembered} from "./boot.js";
import {button, h, icon} from "./dom.js";

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
    this.muter = button("", () => this.#mute(!this.video.muted), {kind: "plain", symbol: "sound", title: "Sound on or off"});
    this.loudness = h("input", {type: "range", min: 0, max: 1, step: 0.05, "aria-label": "Volume", class: "player-volume", oninput: () => this.#volume(Number(this.loudness.value))});
    const full = button("", () => this.full(), {kind: "plain", symbol: "full", title: "Full screen (f)"});
    this.append(h("div", {class: "player-picture", onclick: () => this.toggle()}, this.video, this.problem),
      h("div", {class: "player-controls"}, this.toggler, this.clock, this.mark, this.muter, this.loudness, full));
    this.#listen();
    this.#volume(remembered("volume", 1));
    this.#mute(remembered("muted", false));
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
    this.video.play().catch((error) => {
      if (error.name === "NotAllowedError") this.#mute(true), this.video.play().catch(() => undefined);
    });
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

  #mute(on) {
    this.video.muted = on;
    remember("muted", on);
    this.muter.replaceChildren(icon(on ? "mute" : "sound"));
    this.muter.setAttribute("aria-pressed", String(on));
  }

  #volume(value) {
    this.video.volume = value;
    this.loudness.value = value;
    remember("volume", value);
    if (value > 0 && this.video.muted) this.#mute(false);
  }

  full() {
    if (document.fullscreenElement) document.exitFullscreen();
    else this.requestFullscreen?.();
  }
}

customElements.define("selects-player", Player);
