// What all players of a film do alike: sound as this browser remembers it, and full screen.

import {remember, remembered} from "./boot.js";
import {button, h, icon} from "./dom.js";

// The sound of some videos: `controls` are a button that mutes and a volume, for the player's bar.
export class Sound {
  #videos;
  #muter;
  #level;

  constructor(videos, title = "Sound on or off") {
    this.#videos = videos;
    this.#muter = button("", () => this.mute(), {kind: "plain", symbol: "sound", title});
    this.#level = h("input", {type: "range", min: 0, max: 1, step: 0.05, "aria-label": "Volume", class: "player-volume", oninput: () => this.#heard(Number(this.#level.value))});
    this.controls = [this.#muter, this.#level];
    this.#volume(remembered("volume", 1));
    this.#mute(remembered("muted", false));
  }

  // Without a word: the other way round.
  mute(on = !this.#videos[0].muted) {
    this.#mute(on);
    remember("muted", on);
  }

  // Plays one of them, muted where the browser wants that before the first key or tap; that is not what the person chose.
  play(video) {
    video.play().catch((error) => {
      if (error.name === "NotAllowedError") this.#mute(true), video.play().catch(() => undefined);
    });
  }

  #mute(on) {
    for (const video of this.#videos) video.muted = on;
    this.#muter.replaceChildren(icon(on ? "mute" : "sound"));
    this.#muter.setAttribute("aria-pressed", String(on));
  }

  #volume(value) {
    for (const video of this.#videos) video.volume = value;
    this.#level.value = value;
  }

  // Who makes it louder wants to hear it.
  #heard(value) {
    this.#volume(value);
    remember("volume", value);
    if (value > 0 && this.#videos[0].muted) this.mute(false);
  }
}

export function toggleFull(element) {
  if (document.fullscreenElement) document.exitFullscreen();
  else element.requestFullscreen?.();
}

// For the player's bar.
export function fullButton(element) {
  return button("", () => toggleFull(element), {kind: "plain", symbol: "full", title: "Full screen (f)"});
}
