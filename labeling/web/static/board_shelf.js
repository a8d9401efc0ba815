// A cluster with its items, as a column or as what is open under the wall; and its cover on the wall.

import {Head, NoiseHead} from "./board_head.js";
import {manyItems, nameOf, NOISE} from "./board_words.js";
import {h} from "./dom.js";

export class Shelf {
  // `does`: {rename, menu, open}
  constructor(place, {shelves, tiles, does, kind, tag = "section"}) {
    Object.assign(this, {place, shelves, tiles, kind});
    this.head = place === NOISE ? new NoiseHead(kind) : new Head(place, does);
    this.list = h("ul", {class: `board-list ${kind}`, role: "listbox", "aria-multiselectable": "true", dataset: {list: place}});
    this.element = h(tag, {class: `board-column ${kind}`, role: "group", dataset: {place}}, this.head.element, this.list);
  }

  show() {
    const {shelves, place} = this, cluster = shelves.clusters.get(place), figures = shelves.figures(place);
    if (!cluster) return;
    const name = place === NOISE ? "Noise" : nameOf(cluster), {loaded} = shelves.list(place);
    this.head.show(cluster, figures);
    this.element.setAttribute("aria-label", `${name}, ${manyItems(figures.size, this.kind)}`);
    this.list.setAttribute("aria-label", `${manyItems(figures.size, this.kind)} of ${name}`);
    this.list.classList.toggle("waiting", !loaded && figures.size > 0 && !place.startsWith("new"));
    this.tiles.fill(this.list, shelves.list(place).items);
  }

  // Loads so much that the list is full, and no more.
  async see() {
    const {list, shelves} = this;
    while (this.element.isConnected && list.scrollHeight - list.scrollTop < 2 * list.clientHeight + 1) {
      const {next, items} = shelves.list(this.place), before = items.length;
      if (next === null || this.place.startsWith("new")) return;
      await shelves.loadMore(this.place);
      if (shelves.list(this.place).items.length === before) return;
    }
  }

  renamed(place) {
    this.place = this.head.place = this.element.dataset.place = this.list.dataset.list = place;
  }
}

export class Cover {
  constructor(place, {shelves, does, kind}) {
    Object.assign(this, {place, shelves, kind});
    this.head = new Head(place, does);
    this.element = h("li", {class: `board-card ${kind}`, dataset: {place}}, this.head.element);
  }

  show() {
    const cluster = this.shelves.clusters.get(this.place);
    if (cluster) this.head.show(cluster, this.shelves.figures(this.place));
  }

  renamed(place) {
    this.place = this.head.place = this.element.dataset.place = place;
  }
}
