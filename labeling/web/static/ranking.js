// How the clips are ranked: weights, content type, genre, length. Every change ranks again at once.

import {boot} from "./boot.js";
import {button, h} from "./dom.js";

// The slider ranks while it is drawn, so often at most; who types is waited for.
const APART_MS = 120, TYPED_MS = 300;

// "rank": detail is what POST /api/score takes, null for the ranking that is stored.
class Ranking extends HTMLElement {
  #timer = null;
  #weights = false;
  #length = false;
  #sent = 0;

  connectedCallback() {
    if (this.slider) return;
    this.className = "ranking bar";
    this.slider = h("input", {type: "range", min: 0, max: 100, value: 50, "aria-label": "Weight between viral and compelling", oninput: () => { this.#weights = true; this.#changed(); }});
    this.viral = h("output", {class: "num viral"}, "0.50");
    this.compelling = h("output", {class: "num compelling"}, "0.50");
    this.content = menu("For", "any use", boot.content, () => { this.#weights = this.#length = false; this.#changed(); });
    this.genre = menu("Genre", "any genre", boot.genres, () => { this.#weights = false; this.#changed(); });
    this.min = number("Shortest clip, seconds", () => this.#typed());
    this.max = number("Longest clip, seconds", () => this.#typed());
    this.back = button("As stored", () => this.reset(), {kind: "plain", title: "Back to the ranking that is stored", hidden: true});
    this.note = h("span", {class: "small muted wrap ranking-note"});
    this.append(h("div", {class: "weights"}, h("span", {class: "viral"}, "viral"), this.viral, this.slider, this.compelling, h("span", {class: "compelling"}, "compelling")),
      this.content, this.genre, h("span", {class: "field"}, this.min, "–", this.max, "s"), this.back, this.note);
  }

  // What the answer says that was ranked by.
  tell(scored) {
    if (!this.#weights) this.slider.value = Math.round((1 - scored.weights.viral) * 100);
    if (!this.#length) [this.min.value, this.max.value] = [scored.min_s, scored.max_s];
    this.#fits();
    this.#numbers(scored.weights.viral);
    const models = [...new Set([scored.model, scored.viral_model])].filter((version) => version !== "prior");
    const by = models.length ? `Ranked by model ${models.join(" and ")}` : "Ranked by the prior, relative to this film";
    this.note.textContent = [by, ...scored.notes].join(" · ");
  }

  reset() {
    this.#weights = this.#length = false;
    this.content.value = this.genre.value = "";
    this.back.hidden = true;
    this.#send(null);
  }

  get asked() {
    const asked = {};
    if (this.#weights) asked.weight_viral = 1 - Number(this.slider.value) / 100;
    if (this.content.value) asked.content = this.content.value;
    if (this.genre.value) asked.genre = this.genre.value;
    if (this.#length && this.min.value) asked.min_s = Number(this.min.value);
    if (this.#length && this.max.value) asked.max_s = Number(this.max.value);
    return asked;
  }

  #changed(wait_ms = Math.max(0, this.#sent + APART_MS - performance.now())) {
    if (this.#weights) this.#numbers(1 - Number(this.slider.value) / 100);
    this.back.hidden = false;
    clearTimeout(this.#timer);
    if (this.#fits()) this.#timer = setTimeout(() => this.#send(this.asked), wait_ms);
  }

  #typed() {
    this.#length = true;
    this.#changed(TYPED_MS);
  }

  // Limits that no clip can keep are not asked for, and said here: half of a number that is being typed is no mistake.
  #fits() {
    const [least, most] = [this.min, this.max].map((field) => field.valueAsNumber);
    this.max.setCustomValidity(least > most ? `The longest clip is to be ${least} s or more, as the shortest is.` : "");
    const wrong = [this.min, this.max].find((field) => !field.checkValidity());
    this.note.classList.toggle("bad", Boolean(wrong));
    if (wrong) this.note.textContent = wrong.validationMessage;
    return !wrong;
  }

  #numbers(viral) {
    this.viral.textContent = viral.toFixed(2);
    this.compelling.textContent = (1 - viral).toFixed(2);
    this.slider.setAttribute("aria-valuetext", `viral ${viral.toFixed(2)}, compelling ${(1 - viral).toFixed(2)}`);
  }

  #send(detail) {
    clearTimeout(this.#timer);
    this.#sent = performance.now();
    this.dispatchEvent(new CustomEvent("rank", {detail}));
  }
}

customElements.define("selects-ranking", Ranking);

function menu(label, none, names, changed) {
  return h("select", {class: "input", "aria-label": label, onchange: changed}, h("option", {value: ""}, none), Object.keys(names).map((name) => h("option", {value: name}, name)));
}

function number(label, changed) {
  return h("input", {class: "input short num", type: "number", min: 1, max: 36000, step: "any", "aria-label": label, oninput: changed});
}
