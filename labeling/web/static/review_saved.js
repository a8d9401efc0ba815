// Whether the server has what was decided: "saved" is said on its answer, not before.

import {h} from "./dom.js";
import {many} from "./words.js";

// Short waits need no words.
const PATIENCE_MS = 400;

export class SavedState {
  #timer = null;

  constructor() {
    this.last = h("span", {class: "muted"});
    this.state = h("strong", {class: "good", role: "status"});
    this.element = h("p", {class: "saved"}, this.last, this.state);
  }

  did(words) {
    this.last.textContent = words;
  }

  tell(waiting, trouble) {
    clearTimeout(this.#timer);
    this.element.dataset.waiting = waiting;
    if (trouble && waiting) return this.#say(`${many(waiting, "decision")} kept here, not saved yet. ${trouble} Trying again …`, "viral");
    if (!waiting) return this.#say(this.last.textContent ? "saved ✓" : "", "good");
    this.state.textContent = "";
    this.#timer = setTimeout(() => this.#say("saving …", "muted"), PATIENCE_MS);
    return undefined;
  }

  #say(words, kind) {
    this.state.className = kind;
    this.state.textContent = this.state.title = words;
  }
}
