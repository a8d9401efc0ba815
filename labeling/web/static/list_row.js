// One clip of a list: thumbnail, film, in and out, note, marks, and what can be done with it.

import {button, h} from "./dom.js";
import {inOut, marksOf, spanWords} from "./list_words.js";
import {score} from "./words.js";

export class ListRow {
  #said = "";

  // `act(name, id, at)` and `play(id)` are told what the person asks for.
  constructor({mayEdit, act, play}) {
    Object.assign(this, {mayEdit, act, play});
    this.number = h("span", {class: "list-number num muted"});
    this.picture = h("span", {class: "list-thumb"});
    this.words = h("div", {class: "list-words"});
    const does = (name) => (event) => act(name, this.entry.id, event.currentTarget);
    const buttons = [button("", () => play(this.entry.id), {kind: "plain", symbol: "play", title: "Play from here (Enter)"})];
    if (mayEdit) buttons.push(button("", does("menu"), {kind: "plain", symbol: "more", title: "More about this clip", "aria-haspopup": "menu"}));
    this.element = h("li", {class: "list-row", role: "option", tabIndex: -1, "aria-selected": "false"}, this.number, this.picture, this.words, h("div", {class: "list-does"}, buttons));
  }

  show(entry, number) {
    this.entry = entry;
    this.number.textContent = String(number);
    const said = JSON.stringify(entry);
    if (said === this.#said) return;
    this.#said = said;
    this.element.dataset.id = entry.id;
    this.element.setAttribute("aria-label", `${entry.name}, ${spanWords(entry)}${entry.blocked.length ? `, may not go out: ${entry.blocked.join(" ")}` : ""}`);
    this.element.classList.toggle("blocked", entry.blocked.length > 0);
    this.picture.replaceChildren(...(entry.picture ? [h("img", {src: entry.picture, alt: "", loading: "lazy", draggable: false})] : []));
    const scored = entry.score === null ? "" : ` · ${score(entry.score)} ${entry.band}`;
    this.words.replaceChildren(
      h("p", {class: "list-name", title: entry.name}, entry.name),
      h("p", {class: "small muted num list-span", title: inOut(entry)}, `${spanWords(entry)}${scored}${entry.named ? ` · ${entry.movie_title}` : ""}`),
      ...marksOf(entry).map(([words, kind, title]) => h("p", {class: `small list-mark ${kind}`, title}, words)),
      ...(entry.note ? [h("p", {class: "small list-note", title: entry.note}, entry.note)] : []));
  }
}
