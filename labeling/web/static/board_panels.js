// What stands beside the board when it is asked for: history, suggestions to merge, what a correction would change besides.

import {get, withQuery} from "./api.js";
import {boot, mayEdit, remember, remembered} from "./boot.js";
import {figureWords, mainFirst, manyItems, nameOf, NOISE, share, VIEWS} from "./board_words.js";
import {cutFace, pictureOf} from "./board_tile.js";
import {button, h} from "./dom.js";
import {moment} from "./models_words.js";
import {attempt} from "./toasts.js";
import {grouped} from "./words.js";

const PART = 50;
const SUGGESTED = 40;
const PREVIEWED = 200;
const MOST_REFUSED = 500;

export class Panels {
  #open = "";
  #suggestions = [];

  // `does`: {undo(ids), merge(into, others), more(id, count), changed()}
  constructor(shelves, does) {
    Object.assign(this, {shelves, does, kind: shelves.scope.kind});
    this.body = h("div", {class: "board-panel-body"});
    this.title = h("h2", {tabIndex: -1});
    this.element = h("aside", {class: "board-panel", hidden: true, "aria-label": "Beside the board"},
      h("header", {class: "board-panel-head"}, this.title, button("", () => this.close(), {kind: "plain", symbol: "close", title: "Close"})), this.body);
    this.body.addEventListener("load", (event) => cutFace(event.target), {capture: true});
    this.element.addEventListener("keydown", (event) => event.key === "Escape" && this.close());
  }

  get likely() {
    return this.#suggestions.length;
  }

  toggle(what) {
    if (this.#open === what) return this.close();
    return this.open(what);
  }

  async open(what, detail = null) {
    this.#open = what;
    this.element.hidden = false;
    this.body.replaceChildren(h("p", {class: "muted"}, "One moment …"));
    this.does.changed();
    this.title.textContent = {history: "History", merges: `The same ${VIEWS[this.kind].one}?`, more: "This would move too"}[what];
    this.element.setAttribute("aria-label", this.title.textContent);
    this.title.focus({preventScroll: true});
    await attempt(() => ({history: () => this.#history(0), merges: () => this.#showMerges(), more: () => this.#more(detail)})[what]());
  }

  close() {
    const focused = this.element.contains(document.activeElement);
    this.#open = "";
    this.element.hidden = true;
    this.does.changed();
    if (focused) this.does.focus();
  }

  get shown() {
    return this.#open;
  }

  // After a correction.
  async renew() {
    if (this.#open === "history") await this.#history(0).catch(() => undefined);
    if (this.#open === "more") this.close();
    await this.suggest();
  }

  async suggest() {
    const found = await get(withQuery("/api/clusters/suggestions", {project: boot.project, kind: this.kind, limit: SUGGESTED})).catch(() => []);
    const refused = new Set(remembered(this.#refusedName, []));
    this.#suggestions = found.filter((each) => !refused.has(pair(each)));
    this.does.changed();
    if (this.#open === "merges") this.#showMerges();
  }

  get #refusedName() {
    return `board-not-the-same:${boot.project}:${this.kind}`;
  }

  async #history(offset) {
    const found = await get(withQuery("/api/clusters/corrections", {project: boot.project, kind: this.kind, limit: PART, offset}));
    if (this.#open !== "history") return;
    const rows = found.items.map((each) => this.#correction(each));
    if (!offset) this.body.replaceChildren(found.total ? h("ol", {class: "board-history"}) : h("p", {class: "muted"}, "Nobody has corrected anything yet."));
    const list = this.body.querySelector("ol");
    list?.append(...rows);
    this.body.querySelector(".board-older")?.remove();
    if (found.next !== null) this.body.append(button("Older", () => attempt(() => this.#history(found.next)), {kind: "board-older"}));
  }

  #correction(each) {
    const back = mayEdit() && !each.undone_by && each.what !== "undo"
      ? button("Take back", () => this.does.undo([each.id]), {"aria-label": `Take back: ${each.said}`}) : null;
    return h("li", {class: each.undone_by ? "undone" : ""}, h("div", {}, h("p", {class: "wrap"}, each.said),
      h("p", {class: "small muted"}, [each.by, moment(each.at), each.undone_by ? "taken back" : ""].filter(Boolean).join(" · "))), back);
  }

  #showMerges() {
    if (!this.#suggestions.length) return this.body.replaceChildren(h("p", {class: "muted"}, `No two ${VIEWS[this.kind].more} look like one at the moment.`));
    return this.body.replaceChildren(h("ol", {class: "board-merges"}, this.#suggestions.map((each) => this.#merge(each))));
  }

  #merge(each) {
    const {one, other, confidence} = each, [into, gone] = mainFirst(one, other);
    const side = (cluster) => h("figure", {}, h("div", {class: `board-merge-cover ${this.kind}`}, cluster.cover ? pictureOf(cluster.cover) : ""),
      h("figcaption", {}, h("p", {class: "board-merge-name"}, nameOf(cluster)), h("p", {class: "small muted num"}, figureWords({size: cluster.size, seconds: cluster.screen_time_s}, this.kind))));
    const names = `${nameOf(into)} and ${nameOf(gone)}`;
    const act = mayEdit() ? h("div", {class: "bar"}, button("Merge", () => this.#merged(each, into, gone), {"aria-label": `Merge ${names}`}),
      button("Not the same", () => this.#refuse(each), {kind: "plain", "aria-label": `${names} are not the same`, title: "Not asked again in this browser"})) : null;
    return h("li", {}, h("div", {class: "board-merge-pair"}, side(into), side(gone)), h("div", {class: "board-merge-foot"}, h("p", {class: "small muted num"}, `${share(confidence)} sure`), act));
  }

  #merged(each, into, gone) {
    this.#drop(each);
    this.does.merge(this.shelves.know(into), [this.shelves.know(gone)]);
  }

  #refuse(each) {
    remember(this.#refusedName, [...remembered(this.#refusedName, []), pair(each)].slice(-MOST_REFUSED));
    this.#drop(each);
  }

  #drop(each) {
    this.#suggestions = this.#suggestions.filter((other) => other !== each);
    this.does.changed();
    this.#showMerges();
    this.body.querySelector("button")?.focus();
  }

  // What it would move, by where to; done only when it is asked for.
  async #more({id}) {
    const found = await get(withQuery(`/api/clusters/corrections/${id}/more`, {limit: PREVIEWED}));
    if (this.#open !== "more") return;
    if (!found.total) return void this.body.replaceChildren(h("p", {class: "muted"}, "Nothing any more: it lies there already."));
    const groups = Map.groupBy(found.items, (each) => (each.to === null ? NOISE : String(each.to)));
    const parts = [...groups].map(([place, items]) => h("section", {}, h("h3", {}, `${manyItems(items.length, this.kind)} to ${this.#name(place)}`),
      h("ul", {class: `board-preview ${this.kind}`}, items.map(({item, confidence}) => h("li", {class: "tile", title: `${item.movie_title} · ${share(confidence)} sure`}, pictureOf(item))))));
    const rest = found.total - found.items.length, act = mayEdit() ? button(`Move ${found.total === 1 ? "it" : `these ${grouped(found.total)}`}`, () => { this.close(); this.does.more(id, found.total); }, {kind: "main"}) : null;
    this.body.replaceChildren(h("div", {class: "bar"}, act, button("Leave them", () => this.close(), {kind: "plain"})), ...parts, rest > 0 ? h("p", {class: "muted"}, `And ${grouped(rest)} more.`) : "");
    act?.focus({preventScroll: true});
  }

  #name(place) {
    const cluster = this.shelves.clusters.get(place);
    return place === NOISE ? "noise" : cluster ? nameOf(cluster) : `${VIEWS[this.kind].unnamed} ${place}`;
  }
}

const pair = ({one, other}) => [one.id, other.id].sort((a, b) => a - b).join("-");
