// The board: places and people as columns or covers, noise beside them; people put right what does not belong.

import {get} from "./api.js";
import {boot, mayEdit, remember, remembered} from "./boot.js";
import {Corrections} from "./board_act.js";
import {Controls} from "./board_controls.js";
import {Shelves} from "./board_data.js";
import {Deeds} from "./board_deeds.js";
import {Drag} from "./board_drag.js";
import {askRefresh, whyEmpty} from "./board_empty.js";
import {boardKeys, KEYS} from "./board_keys.js";
import {Panels} from "./board_panels.js";
import {addressOf, scopeOf} from "./board_scope.js";
import {Scrub} from "./board_scrub.js";
import {Selection} from "./board_select.js";
import {Stage} from "./board_stage.js";
import {cutFace, Tiles} from "./board_tile.js";
import {manyItems, nameOf, NEW, NOISE, VIEWS} from "./board_words.js";
import {h, openDialog} from "./dom.js";
import {jobs} from "./jobs.js";
import {attempt, toast} from "./toasts.js";
import {grouped} from "./words.js";

const UNDO_MS = 10_000;
const LOOK_MS = 15_000;

class Board extends HTMLElement {
  #asked = null;
  #stop = null;
  #timer = null;
  #toast = null;

  connectedCallback() {
    this.mayMove = mayEdit();
    if (!this.controls) this.#build();
    const {signal} = this.#stop = new AbortController();
    boardKeys(this, signal);
    addEventListener("popstate", () => this.address(), {signal});
    jobs.addEventListener("ended", () => this.#catchUp(), {signal});
    document.addEventListener("visibilitychange", () => document.hidden || this.#catchUp(), {signal});
    this.#timer = setInterval(() => document.hidden || this.drag.active || this.#catchUp(), LOOK_MS);
    this.address();
  }

  disconnectedCallback() {
    clearInterval(this.#timer);
    this.drag.cancel();
    this.#stop.abort();
  }

  #build() {
    this.className = "page board";
    this.controls = new Controls(this);
    this.area = h("div", {class: "board-area"});
    this.nothing = h("section", {class: "empty", hidden: true, "aria-live": "polite"});
    this.append(this.controls.head, this.controls.row, this.area, this.nothing);
    this.drag = new Drag(this.area, this);
    this.scrub = new Scrub(this.area, {itemAt: (id) => this.shelves.item(id), quiet: () => this.drag.active});
    this.area.addEventListener("load", (event) => cutFace(event.target), {capture: true});
    this.area.addEventListener("focusin", (event) => event.target.matches(".tile") && this.selection.hold(event.target, {used: true}));
    this.area.addEventListener("dblclick", (event) => event.target.closest(".tile") && this.openFilm());
    // Readers press what has the focus: a click that no pointer made.
    this.area.addEventListener("click", (event) => event.target.matches(".tile") && !event.detail && this.selection.pick(event.target, {add: true}));
  }

  // The address says which view; how it is laid out this browser remembers.
  address() {
    const scope = scopeOf(location.search);
    document.title = `${VIEWS[scope.kind].tab} · Board · Selects`;
    const {open, ...rest} = scope, asked = JSON.stringify(rest);
    this.scope = scope;
    if (asked !== this.#asked) return this.#start(rest, asked);
    this.#show(open);
    return this.#catchUp();
  }

  // While one types, no step for each letter.
  go(changed) {
    const typing = "q" in changed && !("kind" in changed);
    history[typing ? "replaceState" : "pushState"]({top: 0}, "", addressOf({...this.scope, open: "", ...changed}));
    this.address();
  }

  async #start(scope, asked) {
    this.#asked = asked;
    this.nothing.hidden = true;
    this.area.hidden = false;
    this.shelves = new Shelves(scope);
    this.acts = new Corrections(this.shelves);
    this.tiles = new Tiles();
    this.kind = scope.kind;
    this.selection = new Selection(this.tiles, () => this.#tell());
    this.panels = new Panels(this.shelves, {undo: (ids) => this.acts.undo(ids), merge: (...which) => this.acts.merge(...which), more: (...which) => this.acts.more(...which),
      changed: () => this.controls.panels(this.panels), focus: () => this.#refocus()});
    this.deeds = new Deeds(this);
    this.stage = new Stage(this);
    this.area.replaceChildren(this.stage.element, this.panels.element, this.stage.side);
    this.controls.panels(this.panels);
    this.controls.show(scope, this.chosenLayout, "");
    this.acts.addEventListener("done", ({detail}) => this.#done(detail));
    this.acts.addEventListener("refused", ({detail}) => toast(detail.words + detail.error.message, {problem: true}));
    this.shelves.addEventListener("order", () => this.#tell());
    if (!boot.project) return this.#empty();
    const loaded = await attempt(() => this.shelves.load().then(() => true));
    if (!loaded || asked !== this.#asked) return undefined;
    this.loaded = asked;
    await this.#show(this.scope.open);
    await this.#empty();
    if (scope.scene) this.#tellScene(scope);
    return this.panels.suggest();
  }

  // What is open may be one that was not loaded yet.
  async #show(open) {
    if (/^\d+$/.test(open) && !this.shelves.clusters.has(open)) {
      const cluster = await get(`/api/clusters/${open}`).catch(() => null);
      if (cluster?.kind === this.kind) this.shelves.know(cluster);
    }
    if (open === this.scope.open) this.stage.open(open);
  }

  async #tellScene(scope) {
    const scene = await get(`/api/clusters/${scope.scene}`).catch(() => null);
    if (scene && scope.scene === this.scope.scene) this.controls.show(scope, this.chosenLayout, this.sceneName = nameOf(scene));
  }

  async #catchUp() {
    if (this.loaded !== this.#asked || !boot.project || document.querySelector("dialog[open]")) return;
    await this.shelves.look().catch(() => undefined);
    await this.#empty().catch(() => undefined);
  }

  async #empty() {
    const {scope} = this, none = !this.shelves.order.length && (scope.q || scope.scene || !this.shelves.figures(NOISE).size);
    const why = none ? await attempt(() => whyEmpty(scope)) : null;
    if (scope !== this.scope) return;
    this.nothing.hidden = !why;
    if (why) this.nothing.replaceChildren(...why);
    this.area.hidden = Boolean(why);
  }

  #tell() {
    const {ids} = this.selection, places = new Set([...ids].map((id) => this.shelves.placeOf(id)));
    this.controls.tell({kind: this.kind, total: Math.max(this.shelves.total, this.shelves.order.length), shown: this.shelves.order.length, selected: ids.size, one: places.size === 1 && !places.has(NOISE)});
  }

  get chosenLayout() {
    return remembered("board-layout", "columns") === "wall" ? "wall" : "columns";
  }

  layout(name) {
    remember("board-layout", name);
    this.controls.show(this.scope, name, this.scope.scene && this.sceneName);
    this.stage.lay(name);
  }

  // What the drag asks.
  promise(place, ids) {
    if (ids === null) return this.stage.promise(place, null);
    const count = ids.filter((id) => this.shelves.placeOf(id) !== place).length;
    this.stage.promise(place, count ? `+ ${grouped(count)}` : null);
    if (!count) return "";
    return place === NOISE ? `${manyItems(count, this.kind)}: not this` : `${manyItems(count, this.kind)} → ${place === NEW ? `new ${VIEWS[this.kind].one}` : nameOf(this.shelves.clusters.get(place))}`;
  }

  drop(ids, place) {
    this.deeds.move(ids, place);
  }

  hold(on) {
    this.shelves.hold(on);
  }

  scrollers() {
    return this.stage.scrollers();
  }

  #refocus() {
    (this.selection.held ?? this.area.querySelector(".tile"))?.focus({preventScroll: true});
  }

  #done({words, ids, more, correction}) {
    const actions = [ids.length && {words: "Undo", run: () => this.acts.undo(ids)},
      more && {words: `Also move ${grouped(more)} ▸ preview`, run: () => this.panels.open("more", correction)}].filter(Boolean);
    this.#toast?.remove();
    this.#toast = toast(`${words}.`.replace("..", "."), {actions, shown_ms: UNDO_MS});
    this.panels.renew();
  }

  toggle() {
    const {held} = this.selection;
    if (held) this.selection.pick(held, {add: true});
  }

  selectAll() {
    const {held} = this.selection;
    if (held) this.selection.set([...held.parentElement.children].map((tile) => Number(tile.dataset.id)));
  }

  step(...how) {
    this.stage.step(...how);
  }

  toEnd(which) {
    const list = this.selection.held?.parentElement, tile = which ? list?.lastElementChild : list?.firstElementChild;
    tile?.focus();
  }

  openFilm() {
    const {held} = this.selection, item = held && this.shelves.item(Number(held.dataset.id));
    if (item) document.querySelector("selects-app")?.go(`/movies/${item.movie_id}?t=${item.start_s.toFixed(3)}`);
  }

  escape() {
    if (this.drag.active) return this.drag.cancel();
    if (this.selection.ids.size) return this.selection.set([]);
    return this.panels.shown ? this.panels.close() : this.scope.open && this.go({open: ""});
  }

  undo() {
    this.acts.undoLast();
  }

  askRefresh() {
    askRefresh(this.kind);
  }

  showKeys() {
    const rows = KEYS.flatMap(([keys, words]) => [h("dt", {}, keys), h("dd", {}, words)]);
    const dialog = openDialog({title: "Keys", confirm: "Close", ask: () => undefined, body: [h("dl", {class: "keys"}, rows), h("p", {class: "small muted"}, "With a finger: a tap selects, and what is held for a moment is dragged.")]});
    dialog.querySelector(".actions button").remove();
  }
}

customElements.define("selects-board", Board);
