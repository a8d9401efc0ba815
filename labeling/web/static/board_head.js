// What stands over a cluster: cover, name to edit, how many, how long, how alike, where.

import {mayEdit} from "./boot.js";
import {figureWords, nameOf, NOISE, share, VIEWS} from "./board_words.js";
import {stripOf} from "./board_strip.js";
import {pictureOf} from "./board_tile.js";
import {button, h} from "./dom.js";
import {clock, grouped} from "./words.js";

const NAME_LENGTH = 200;

// Calls rename(place, name), menu(place, button) and open(place).
export class Head {
  #cover = null;
  #strip = null;

  constructor(place, {rename, menu, open}) {
    Object.assign(this, {place, rename});
    this.picture = h("button", {type: "button", class: "board-cover", onclick: () => open(this.place)});
    this.name = h("button", {type: "button", class: "board-name", onclick: () => this.edit(), title: "Rename (r)", disabled: !mayEdit()});
    this.hint = h("button", {type: "button", class: "board-hint", hidden: true, onclick: () => this.rename(this.place, this.cluster.suggestion)});
    this.figures = h("p", {class: "small muted num board-figures", role: "note"});
    this.badge = h("span", {class: "board-badge num", hidden: true});
    this.strip = h("div", {class: "board-strips"});
    this.more = button("", () => menu(this.place, this.more), {kind: "plain", symbol: "more", title: "More", "aria-haspopup": "menu"});
    this.element = h("header", {class: "board-head"}, this.picture, h("div", {class: "board-title"}, this.name, this.hint), this.badge, this.more, this.figures, this.strip);
  }

  show(cluster, figures) {
    const {kind} = cluster, name = nameOf(cluster);
    this.cluster = cluster;
    if (this.name.textContent !== name) this.name.textContent = name;
    this.name.setAttribute("aria-label", mayEdit() ? `${name}: rename` : name);
    this.name.classList.toggle("unnamed", !cluster.name);
    this.hint.hidden = Boolean(cluster.name) || !cluster.suggestion || !mayEdit();
    this.hint.textContent = `${cluster.suggestion}?`;
    this.hint.title = `Call it ${cluster.suggestion}`;
    this.hint.setAttribute("aria-label", `Call ${name} ${cluster.suggestion}`);
    this.more.setAttribute("aria-label", `More about ${name}`);
    this.picture.setAttribute("aria-label", `Show ${name}`);
    const alike = figures.size > 1 && cluster.id ? ` · ${share(cluster.cohesion)} alike` : "";
    this.figures.textContent = `${grouped(figures.size)} · ${clock(figures.seconds)}${alike}`;
    this.figures.title = `${figureWords(figures, kind)} on screen${alike && `${alike}: how near its ${VIEWS[kind].item}s are to each other`}`;
    this.figures.setAttribute("aria-label", this.figures.title);
    this.#showCover(cluster.cover);
    if (cluster.strip !== this.#strip) this.strip.replaceChildren(stripOf(cluster.strip));
    this.#strip = cluster.strip;
    this.#offer(cluster.suggestion);
  }

  #showCover(cover) {
    if (this.#cover === (cover?.id ?? null) && this.picture.firstChild) return;
    this.#cover = cover?.id ?? null;
    this.picture.replaceChildren(cover ? pictureOf(cover) : "");
  }

  // A new cluster has its suggestion when the server has made it; it may be being named already.
  #offer(suggestion) {
    if (!this.field?.isConnected) return;
    this.hint.hidden = true;
    if (!suggestion || this.field.value) return;
    this.field.value = this.first = suggestion;
    this.field.select();
  }

  // What a drop here would do; null for nothing.
  promise(words) {
    this.badge.hidden = !words;
    this.badge.textContent = words ?? "";
  }

  edit() {
    if (!mayEdit() || this.field?.isConnected) return;
    const {cluster} = this, before = document.activeElement;
    const field = this.field = h("input", {class: "input board-rename", maxLength: NAME_LENGTH, value: cluster.name || cluster.suggestion || "", "aria-label": `Name of ${nameOf(cluster)}`, placeholder: nameOf(cluster), autocomplete: "off"});
    this.first = field.value;
    let open = true;
    const done = (keep) => {
      if (!open) return;
      open = false;
      const name = field.value.trim(), focused = document.activeElement === field;
      field.replaceWith(this.name);
      this.hint.hidden = Boolean(this.cluster.name) || !this.cluster.suggestion;
      if (keep && (name || this.cluster.name)) this.rename(this.place, name);
      if (focused) (before?.isConnected && before !== document.body ? before : this.name).focus({preventScroll: true});
    };
    field.addEventListener("keydown", (event) => {
      event.stopPropagation();
      if (event.key === "Enter") done(true);
      if (event.key === "Escape") done(false);
    });
    field.addEventListener("blur", () => done(field.value.trim() !== this.first));
    this.name.replaceWith(field);
    this.hint.hidden = true;
    field.focus();
    field.select();
  }
}

// Noise has no name of its own and nothing to change.
export class NoiseHead {
  constructor(kind) {
    this.figures = h("p", {class: "small muted num"});
    this.badge = h("span", {class: "board-badge num", hidden: true});
    this.element = h("header", {class: "board-head board-noise-head"}, h("div", {class: "board-noise-words"}, h("h2", {}, "Noise"), this.figures), this.badge);
    this.kind = kind;
    this.place = NOISE;
  }

  show(_cluster, {size}) {
    this.figures.textContent = size ? `${grouped(size)} ${VIEWS[this.kind].outside}` : "Nothing is left over.";
  }

  promise(words) {
    this.badge.hidden = !words;
    this.badge.textContent = words ?? "";
  }
}
