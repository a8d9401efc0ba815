// Where clusters stand: columns side by side, or covers with what is open under them; noise at the right of either.

import {Cover, Shelf} from "./board_shelf.js";
import {NEW, NOISE, VIEWS} from "./board_words.js";
import {button, h} from "./dom.js";
import {attempt} from "./toasts.js";

const AHEAD = "50%";

export class Stage {
  #shown = new Map();
  #opened = null;
  #layout = "";

  constructor(board) {
    Object.assign(this, {board, shelves: board.shelves});
    this.parts = {shelves: board.shelves, tiles: board.tiles, kind: board.kind,
      does: {rename: (place, name) => board.acts.rename(place, name), menu: (place, at) => board.deeds.menu(place, at), open: (place) => this.#openOrGo(place)}};
    this.ground = h("div", {class: "board-ground", dataset: {ground: ""}, tabIndex: -1});
    this.pane = h("div", {class: "board-open", hidden: true});
    this.element = h("div", {class: `board-stage ${board.kind}`}, this.ground, this.pane);
    this.noise = new Shelf(NOISE, this.parts);
    this.side = h("div", {class: "board-side"}, this.#newTarget(), this.noise.element);
    this.eye = new IntersectionObserver((seen) => this.#see(seen), {root: this.ground, rootMargin: AHEAD});
    this.#listen();
    this.lay(board.chosenLayout);
  }

  #listen() {
    this.shelves.addEventListener("order", () => this.#arrange());
    this.shelves.addEventListener("change", ({detail}) => this.#draw(detail));
    this.shelves.addEventListener("named", ({detail: {from, to}}) => this.#renamed(from, to));
    // What is scrolled to is loaded; one listener for all lists, since scrolling does not bubble.
    for (const each of [this.element, this.side]) each.addEventListener("scroll", (event) => this.#scrolled(event.target), {capture: true, passive: true});
    new ResizeObserver(() => this.#seeAll()).observe(this.element);
  }

  #newTarget() {
    const {one} = VIEWS[this.board.kind];
    this.badge = h("span", {class: "board-badge num", hidden: true});
    return h("div", {class: "board-new", dataset: {place: NEW}, hidden: !this.board.mayMove}, button(`New ${one}`, () => this.board.deeds.makeNew(), {symbol: "plus", title: "Out of the selection, or of what is dropped here (n)"}), this.badge);
  }

  lay(layout) {
    if (layout === this.#layout) return;
    this.#layout = layout;
    this.element.dataset.layout = layout;
    for (const part of this.#shown.values()) this.eye.unobserve(part.element);
    this.#shown.clear();
    this.ground.replaceChildren();
    this.#arrange();
    this.open(this.board.scope?.open ?? "");
  }

  // As many parts as there are clusters, in their order.
  #arrange() {
    const {order} = this.shelves, wanted = new Set(order);
    for (const [place, part] of this.#shown) if (!wanted.has(place)) this.eye.unobserve(part.element), part.element.remove(), this.#shown.delete(place);
    let at = this.ground.firstElementChild;
    for (const place of order) {
      const part = this.#part(place);
      if (part.element === at) at = at.nextElementSibling;
      else this.ground.insertBefore(part.element, at);
    }
    this.noise.show();
    if (this.shelves.list(NOISE).loaded) this.noise.see().catch(() => undefined);
    if (this.#opened && !this.shelves.clusters.has(this.#opened.place)) this.open("");
    this.#opened?.show();
    this.#stop();
  }

  #part(place) {
    const known = this.#shown.get(place);
    if (known) { known.show(); return known; }
    const part = this.#layout === "wall" ? new Cover(place, this.parts) : new Shelf(place, this.parts);
    this.#shown.set(place, part);
    part.show();
    this.eye.observe(part.element);
    return part;
  }

  #draw(places) {
    for (const place of places ?? []) {
      if (place === NOISE) this.noise.show();
      this.#shown.get(place)?.show();
      if (this.#opened?.place === place) this.#opened.show();
    }
    this.#stop();
  }

  #renamed(from, to) {
    const part = this.#shown.get(from);
    if (part) this.#shown.delete(from), this.#shown.set(to, part), part.renamed(to);
    if (this.#opened?.place === from) this.#opened.renamed(to);
  }

  // Tab leads to one thumbnail of the board.
  #stop() {
    const {selection} = this.board;
    if (selection.held && selection.used) return;
    // Lists come in any order: until one is used it is the first of what is there.
    const first = this.board.area.querySelector(".tile");
    if (first) selection.hold(first);
  }

  #see(seen) {
    for (const {isIntersecting, target} of seen) if (isIntersecting) this.#shown.get(target.dataset.place)?.see?.().catch(() => undefined);
    if (seen.some(({isIntersecting, target}) => isIntersecting && target === this.ground.lastElementChild)) attempt(() => this.shelves.more());
  }

  #seeAll() {
    for (const part of this.#lists()) part.see().catch(() => undefined);
  }

  #scrolled(target) {
    const place = target.dataset?.list;
    if (place) this.#shelf(place)?.see().catch(() => undefined);
  }

  #shelf(place) {
    return this.#lists().find((each) => each.place === place) ?? null;
  }

  #lists() {
    const inView = (part) => part.list && part.shelves.list(part.place).loaded;
    return [this.noise, this.#opened, ...[...this.#shown.values()].filter(inView)].filter(Boolean);
  }

  // On the wall, what lies in a cluster is shown under it.
  #openOrGo(place) {
    if (this.#layout === "wall") return this.board.go({open: this.#opened?.place === place ? "" : place});
    return this.#shown.get(place)?.list.querySelector(".tile")?.focus();
  }

  open(place) {
    for (const [each, part] of this.#shown) part.element.classList.toggle("opened", each === place && this.#layout === "wall");
    this.pane.hidden = this.#layout !== "wall" || !this.shelves.clusters.has(place);
    if (this.pane.hidden) { this.#opened = null; return this.pane.replaceChildren(); }
    if (this.#opened?.place === place) return undefined;
    this.#opened = new Shelf(place, this.parts);
    this.pane.replaceChildren(this.#opened.element, button("", () => this.board.go({open: ""}), {kind: "plain board-close", symbol: "close", title: "Close"}));
    this.#opened.show();
    this.#shown.get(place)?.element.scrollIntoView({block: "nearest"});
    return this.#opened.see().catch(() => undefined);
  }

  promise(place, words) {
    const on = words !== null && words !== undefined, part = place === NOISE ? this.noise : this.#shown.get(place);
    for (const each of this.board.area.querySelectorAll(`[data-place="${place}"]`)) each.classList.toggle("target", on);
    part?.head.promise(words);
    if (this.#opened?.place === place) this.#opened.head.promise(words);
    if (place === NEW) this.badge.hidden = !on, this.badge.textContent = words ?? "";
  }

  // Shows where something went.
  reveal(place, {scroll = false} = {}) {
    const part = place === NOISE ? this.noise : this.#shown.get(place);
    // In the next picture, which is laid out anyhow.
    requestAnimationFrame(() => {
      if (part?.list) part.list.scrollTop = 0;
      if (scroll) part?.element.scrollIntoView({block: "nearest", inline: "nearest"});
    });
  }

  rename(place) {
    const part = this.#shown.get(place) ?? (this.#opened?.place === place ? this.#opened : null);
    part?.head.edit?.();
  }

  // The cluster that has the focus.
  current() {
    const place = document.activeElement?.closest?.("[data-place]")?.dataset.place;
    return place && place !== NEW ? place : this.board.selection.held?.closest("[data-place]")?.dataset.place ?? null;
  }

  scrollers() {
    return [this.ground];
  }

  // To the next thumbnail or cover; at the edge of a list to the list beside it.
  async step(x, y, extend) {
    const at = document.activeElement, {selection} = this.board;
    if (at?.closest?.(".board-card")) return this.#stepCover(at.closest(".board-card"), x, y);
    const tile = at?.matches?.(".tile") ? at : null;
    if (!tile) return void (selection.held ?? this.board.area.querySelector(".tile, .board-cover"))?.focus();
    const next = inGrid(tile, x, y) ?? (x ? await this.#beside(tile, x) : null);
    if (!next) return undefined;
    if (extend) selection.set([...selection.ids, Number(tile.dataset.id), Number(next.dataset.id)]);
    next.focus({preventScroll: true});
    next.scrollIntoView({block: "nearest", inline: "nearest"});
    return undefined;
  }

  #stepCover(card, x, y) {
    const next = inGrid(card, x, y);
    next?.querySelector(".board-cover").focus();
    if (!next && y > 0 && this.#opened) this.#opened.list.querySelector(".tile")?.focus();
    if (!next && x > 0) this.noise.list.querySelector(".tile")?.focus();
  }

  // The thumbnail at the same height in the next list that has any.
  async #beside(tile, x) {
    const lists = [...this.board.area.querySelectorAll(".board-list")], step = Math.sign(x), {top} = tile.getBoundingClientRect();
    for (let at = lists.indexOf(tile.parentElement) + step; lists[at]; at += step) {
      if (!lists[at].children.length) await this.#shelf(lists[at].dataset.list)?.see() ?? await this.#shown.get(lists[at].dataset.list)?.see?.();
      const near = [...lists[at].children].map((each) => ({each, far: Math.abs(each.getBoundingClientRect().top - top)}));
      const row = near.filter(({far}) => far <= Math.min(...near.map((other) => other.far)) + 1);
      if (row.length) return (step > 0 ? row[0] : row.at(-1)).each;
    }
    return null;
  }
}

// The neighbour in the grid that an element stands in.
function inGrid(element, x, y) {
  const all = [...element.parentElement.children], at = all.indexOf(element), wide = getComputedStyle(element.parentElement).gridTemplateColumns.split(" ").length;
  const column = (at % wide) + x;
  if (x) return column < 0 || column >= wide ? null : all[at + x] ?? null;
  return all[at + y * wide] ?? (y > 0 && Math.floor(at / wide) < Math.floor((all.length - 1) / wide) ? all.at(-1) : null);
}
