// Labelling stills by keys: a guess stands there, a key changes it, Enter saves it and shows the next one.

import {api, get} from "./api.js";
import {boot} from "./boot.js";
import {button, h, isTyping, progressBar, setProgress} from "./dom.js";
import {clock} from "./words.js";

const AHEAD = 4;
const KEYS = [["Enter, space", "save and go on"], ["m", "medium close-up or not"], ["1 – 5", "shot scale, from near to far"], ["0", "nobody"],
  ["← →", "the still before, the next one"], ["⌫", "take the label back"], ["u", "the next one without a label"]];

const CONTRADICTION = "A medium close-up shows somebody: choose a scale (1 – 5), or no medium close-up (m).";

class Framing extends HTMLElement {
  #stop = new AbortController();
  #saving = Promise.resolve();
  #at = 0;

  async connectedCallback() {
    this.className = "framing";
    document.addEventListener("keydown", (event) => this.#key(event), {signal: this.#stop.signal});
    try {
      const {items, scales, file} = await get(`${boot.base}/api/framing/stills`);
      Object.assign(this, {items, scales, file});
    } catch (problem) {
      return this.replaceChildren(h("p", {class: "bad", role: "alert"}, problem.message));
    }
    if (!this.items.length) return this.replaceChildren(h("p", {}, "There are no stills in this folder."));
    this.#build();
    return this.show(this.#open(0));
  }

  disconnectedCallback() {
    this.#stop.abort();
  }

  #build() {
    this.picture = h("img", {alt: ""});
    this.place = h("h1", {class: "num wrap"});
    this.guess = h("p", {class: "muted"});
    this.state = h("p", {class: "num", role: "status"});
    this.bar = progressBar(0, "Labelled");
    this.medium = h("button", {type: "button", class: "button choice", onclick: () => this.#choose({medium_close_up: !this.shown.medium_close_up})}, h("kbd", {}, "m"), "Medium close-up");
    this.choices = this.scales.map((scale, at) => h("button", {type: "button", class: "button choice", onclick: () => this.#choose({scale})}, h("kbd", {}, String((at + 1) % this.scales.length)), scale === "none" ? "nobody" : scale));
    const keys = h("dl", {class: "framing-keys small muted"}, KEYS.flatMap(([key, words]) => [h("dt", {}, key), h("dd", {}, words)]));
    this.replaceChildren(h("figure", {class: "framing-picture"}, this.picture), h("aside", {class: "framing-side"}, this.place, this.guess,
      h("div", {class: "framing-choices", role: "group", "aria-label": "How it is framed"}, this.medium, ...this.choices),
      button("Save and go on", () => this.save(), {kind: "main"}), this.state, this.bar, h("p", {class: "small muted wrap"}, `Labels go to ${this.file}`), keys));
  }

  show(at) {
    this.#at = Math.min(Math.max(at, 0), this.items.length - 1);
    const still = this.items[this.#at];
    this.shown = {...(still.label ?? still.guess)};
    this.picture.src = still.picture;
    this.picture.alt = `${still.title}, ${clock(still.second)}`;
    this.place.textContent = `${this.#at + 1} / ${this.items.length} · ${still.title} · ${still.timecode}`;
    const {faces, probability} = still, words = faces === "none" ? "nobody’s face" : faces;
    this.guess.textContent = probability === null ? `By the size of faces: ${words}` : `By the model: ${probability.toFixed(2)} a medium close-up · by the size of faces: ${words}`;
    this.#mark();
    for (const next of this.items.slice(this.#at + 1, this.#at + 1 + AHEAD)) new Image().src = next.picture;
  }

  // What is shown becomes the label; saves go out one after the other, and "saved" is what the answer says.
  save() {
    if (this.#contradicts()) return this.#mark();
    const still = this.items[this.#at], said = {...this.shown};
    this.#send(still, said, () => api("PUT", this.#address(still), said));
    this.show(this.#open(this.#at + 1));
  }

  #undo() {
    const still = this.items[this.#at];
    if (still.label) this.#send(still, null, () => api("DELETE", this.#address(still)));
    this.shown = {...still.guess};
    this.#mark();
  }

  #send(still, said, call) {
    const before = still.label;
    still.label = said;
    this.#saving = this.#saving.then(call).then(() => this.#tell("saved ✓"), (problem) => {
      still.label = before;
      this.#tell(`Not saved: ${problem.message}`, true);
      this.show(this.items.indexOf(still));
    });
  }

  #tell(words, bad = false) {
    const done = this.items.filter((still) => still.label).length;
    this.state.textContent = `${done} of ${this.items.length} labelled · ${words}`;
    this.state.classList.toggle("bad", bad);
    setProgress(this.bar, done / this.items.length);
  }

  #address(still) {
    return `${boot.base}/api/framing/stills/${still.number}/label`;
  }

  // The next still without a label, round the end; the given one where all have one.
  #open(from) {
    const order = this.items.map((_, at) => (from + at) % this.items.length);
    return order.find((at) => !this.items[at].label) ?? Math.min(from, this.items.length - 1);
  }

  #contradicts() {
    return this.shown.medium_close_up && this.shown.scale === "none";
  }

  // Nobody is no medium close-up; of a medium close-up the scale must be chosen.
  #choose(change) {
    Object.assign(this.shown, change, change.scale === "none" ? {medium_close_up: false} : {});
    this.#mark();
  }

  #mark() {
    const still = this.items[this.#at];
    this.medium.setAttribute("aria-pressed", String(this.shown.medium_close_up));
    this.choices.forEach((choice, at) => choice.setAttribute("aria-pressed", String(this.scales[at] === this.shown.scale)));
    if (this.#contradicts()) return this.#tell(CONTRADICTION, true);
    this.#tell(still.label ? "this one is labelled" : "a guess is shown");
  }

  #key(event) {
    if (!this.shown || isTyping(event)) return;
    // A key that is held saves one guess, not all that follow.
    if (event.repeat && !event.key.startsWith("Arrow")) return event.preventDefault();
    // Enter and space press a button that was reached by Tab.
    if (event.target.tagName === "BUTTON" && ["Enter", " "].includes(event.key) && event.target.matches(":focus-visible")) return;
    const scale = /^[0-9]$/.test(event.key) ? this.scales[(Number(event.key) + this.scales.length - 1) % this.scales.length] : null;
    const known = Number(event.key) < this.scales.length;
    const run = scale && known ? () => this.#choose({scale}) : {
      Enter: () => this.save(), " ": () => this.save(), m: () => this.#choose({medium_close_up: !this.shown.medium_close_up}),
      ArrowLeft: () => this.show(this.#at - 1), ArrowRight: () => this.show(this.#at + 1), Backspace: () => this.#undo(), u: () => this.show(this.#open(this.#at + 1)),
    }[event.key];
    if (!run) return;
    event.preventDefault();
    document.activeElement?.blur();
    run();
  }
}

customElements.define("selects-framing", Framing);
