// Reasons, chosen by number; the last asks for words.

import {h} from "./dom.js";

const REASONS = [["spoiler", "spoiler"], ["rights", "rights"], ["slow", "slow"], ["needs-context", "needs context"], ["duplicate", "duplicate"],
  ["quality", "quality"], ["other", "other …"]];
const OTHER = REASONS.length - 1;

export class ReviewReasons {
  constructor() {
    this.chips = REASONS.map(([name, words], at) => h("button", {type: "button", class: "reason", "aria-pressed": "false", dataset: {reason: name},
      "aria-keyshortcuts": String(at + 1), onclick: () => this.toggle(at)}, h("kbd", {}, String(at + 1)), words));
    this.text = h("input", {class: "input reason-text", maxLength: 2000, placeholder: "In words; Enter goes back", "aria-label": "Another reason", hidden: true});
    this.text.addEventListener("keydown", (event) => {
      if (!["Enter", "Escape"].includes(event.key)) return;
      event.preventDefault();
      event.stopPropagation();
      if (event.key === "Escape") this.toggle(OTHER);
      else this.text.blur();
    });
    this.element = h("div", {class: "reasons", role: "group", "aria-label": "Reasons"}, this.chips, this.text);
  }

  get value() {
    const reasons = REASONS.filter((_, at) => this.#on(at)).map(([name]) => name);
    return {reasons, text: this.#on(OTHER) ? this.text.value.trim() : ""};
  }

  show(reasons, text) {
    REASONS.forEach(([name], at) => this.chips[at].setAttribute("aria-pressed", String(reasons.includes(name))));
    this.text.value = text;
    this.text.hidden = !this.#on(OTHER);
  }

  // By its place; what there is no reason for does nothing.
  toggle(at) {
    if (at > OTHER) return;
    const on = !this.#on(at);
    this.chips[at].setAttribute("aria-pressed", String(on));
    if (at !== OTHER) return;
    this.text.hidden = !on;
    if (on) this.text.focus();
  }

  #on(at) {
    return this.chips[at].getAttribute("aria-pressed") === "true";
  }
}
