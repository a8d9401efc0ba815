// What a person asks for by key, button, menu or drop: it takes the selection, or the thumbnail that has the focus.

import {pickPlace} from "./board_pick.js";
import {mainFirst, manyItems, nameOf, NEW, NOISE, VIEWS} from "./board_words.js";
import {openMenu} from "./dom.js";
import {toast} from "./toasts.js";

export class Deeds {
  constructor(board) {
    const {shelves, acts, selection, kind} = board;
    Object.assign(this, {board, shelves, acts, selection, kind});
  }

  move(ids, to, name = "") {
    // Before they go: what has the focus while it is moved loses it, which lays out the page.
    this.#nextTo(ids)?.focus({preventScroll: true});
    const place = this.acts.move(ids, to, name);
    if (place === null) return;
    this.selection.set([]);
    this.board.stage.reveal(place, {scroll: to === NEW});
    if (to === NEW && !name) this.board.stage.rename(place);
  }

  // Where the keys go on when these are gone from their list.
  #nextTo(ids) {
    const held = this.selection.held, gone = new Set(ids);
    if (!held || document.activeElement !== held || !gone.has(Number(held.dataset.id))) return null;
    const all = [...held.parentElement.children], at = all.indexOf(held), stays = (tile) => !gone.has(Number(tile.dataset.id));
    return all.slice(at).find(stays) ?? all.slice(0, at).reverse().find(stays) ?? null;
  }

  get #chosen() {
    const {list} = this.selection, held = this.selection.held;
    return list.length ? list : held && document.activeElement === held ? [Number(held.dataset.id)] : [];
  }

  #need() {
    const ids = this.#chosen;
    if (!ids.length) toast(`Select some ${VIEWS[this.kind].item}s first: click, or use the arrows and space.`);
    return ids.length ? ids : null;
  }

  askMove() {
    const ids = this.#need();
    if (!ids) return;
    const [from, ...others] = new Set(ids.map((id) => this.shelves.placeOf(id)));
    pickPlace({title: `Move ${manyItems(ids.length, this.kind)} to …`, shelves: this.shelves, others: others.length ? [] : [from], chosen: ({place, name = ""}) => this.move(ids, place, name)});
  }

  makeNew() {
    const ids = this.#need();
    if (ids) this.move(ids, NEW);
  }

  notThis() {
    const ids = this.#need();
    if (ids) this.move(ids, NOISE);
  }

  split() {
    const ids = this.#need();
    if (!ids) return;
    const places = new Set(ids.map((id) => this.shelves.placeOf(id)));
    if (places.size > 1 || places.has(NOISE)) return void toast("Select within one cluster to split it; n makes a new one out of anything.");
    const place = this.acts.split(ids);
    this.selection.set([]);
    this.board.stage.reveal(place, {scroll: true});
    this.board.stage.rename(place);
  }

  askMerge(place = this.board.stage.current()) {
    if (!place || !this.shelves.clusters.has(place) || place === NOISE || place.startsWith("new")) return void toast("Go to a cluster first: j merges the one that has the focus.");
    const {shelves} = this, name = nameOf(shelves.clusters.get(place));
    pickPlace({title: `Merge ${name} with …`, shelves, others: [place, NOISE], extras: false, chosen: ({place: other}) => this.#merge(place, other)});
  }

  #merge(...places) {
    const [into, gone] = mainFirst(...places.map((place) => this.shelves.clusters.get(place))).map((cluster) => String(cluster.id));
    this.acts.merge(into, [gone]);
    this.board.stage.reveal(into, {scroll: true});
  }

  rename(place = this.board.stage.current()) {
    if (!place || place === NOISE) return void toast("Go to a cluster first: r renames the one that has the focus.");
    return this.board.stage.rename(place);
  }

  menu(place, at) {
    const {kind} = this, id = this.shelves.clusters.get(place)?.id;
    const entries = [this.board.mayMove && {words: "Rename …", run: () => this.rename(place)}, this.board.mayMove && id && {words: "Merge with …", run: () => this.askMerge(place)},
      kind === "scene" && id && {words: "Who is here", run: () => this.board.go({kind: "character", scene: String(id), q: "", open: ""})},
      id && {words: "Search in it", run: () => document.querySelector("selects-app")?.go(`/search?cluster=${id}`)},
      this.board.chosenLayout === "columns" ? {words: "Show on the wall", run: () => { this.board.layout("wall"); this.board.go({open: place}); }} : {words: "Show as a column", run: () => { this.board.layout("columns"); this.board.stage.reveal(place, {scroll: true}); }}];
    openMenu(at, entries.filter(Boolean));
  }
}
