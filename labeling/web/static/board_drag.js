// The pointer on the board: a click selects, a drag moves what is selected, a drag on empty ground draws a lasso. A finger
// scrolls, and drags after a moment's rest.

import {h} from "./dom.js";
import {manyItems} from "./board_words.js";
import {FAR, REST_MS, speed} from "./pointer.js";

const STACK = 3;

// `board`: {selection, tiles, kind, mayMove, promise(place or null, words), drop(ids, place), hold(on), scrollers}
export class Drag {
  #begun = null;
  #at = {x: 0, y: 0};
  #mode = "";
  #target = null;
  #frame = 0;
  #timer = null;

  constructor(area, board) {
    Object.assign(this, {area, board});
    // It has the pointer while that is busy, and its shape: a shape of the board's own would style all thumbnails anew.
    this.reins = h("div", {"aria-hidden": "true"});
    area.addEventListener("pointerdown", (event) => this.#down(event));
    area.addEventListener("pointermove", (event) => this.#move(event));
    area.addEventListener("pointerup", (event) => this.#up(event));
    area.addEventListener("pointercancel", () => this.cancel());
    area.addEventListener("contextmenu", (event) => this.#begun?.pointerType === "touch" && event.preventDefault());
    area.addEventListener("touchmove", (event) => this.#mode && event.cancelable && event.preventDefault(), {passive: false});
    area.addEventListener("dragstart", (event) => event.preventDefault());
  }

  get active() {
    return this.#mode !== "";
  }

  #down(event) {
    if (event.button || this.#begun || event.target.closest("button, a, input, .board-head")) return;
    const tile = event.target.closest(".tile"), ground = event.target.closest("[data-ground], .board-list, .board-column");
    if (!tile && (!ground || event.pointerType === "touch" || onScrollbar(event))) return;
    this.#begun = {id: event.pointerId, x: event.clientX, y: event.clientY, tile, pointerType: event.pointerType, add: event.ctrlKey || event.metaKey, range: event.shiftKey};
    this.#at = {x: event.clientX, y: event.clientY};
    if (event.pointerType === "touch") this.#timer = setTimeout(() => this.#begun && this.#begin(), REST_MS);
    else tile?.focus({preventScroll: true});
  }

  #move(event) {
    const begun = this.#begun;
    if (!begun || event.pointerId !== begun.id) return;
    this.#at = {x: event.clientX, y: event.clientY};
    const far = Math.hypot(event.clientX - begun.x, event.clientY - begun.y) > FAR;
    if (!this.#mode && far && begun.pointerType === "touch") return void this.#end();
    if (!this.#mode && far) this.#begin();
  }

  #begin() {
    const {tile, id} = this.#begun, {selection} = this.board;
    if (tile && !this.board.mayMove) return this.#end();
    if (tile && !selection.ids.has(Number(tile.dataset.id))) selection.pick(tile, {add: this.#begun.add});
    this.reins.className = tile ? "board-dragging" : "board-lassoing";
    this.area.append(this.reins);
    this.reins.setPointerCapture(id);
    this.#mode = tile ? "drag" : "lasso";
    this.board.hold(true);
    if (tile) this.#lift();
    else this.#rope();
    return this.#step();
  }

  #lift() {
    const {selection, tiles, kind} = this.board, ids = selection.list;
    const pictures = ids.slice(0, STACK).map((id) => tiles.at(id)?.querySelector("img")).filter(Boolean).map((picture) => h("span", {class: "tile"}, picture.cloneNode()));
    this.words = h("span", {class: "board-ghost-words num"}, manyItems(ids.length, kind));
    this.ghost = h("div", {class: `board-ghost ${kind}`, "aria-hidden": "true"}, h("div", {class: "board-ghost-stack"}, pictures), this.words);
    for (const id of ids) tiles.at(id)?.classList.add("lifted");
    document.body.append(this.ghost);
  }

  #rope() {
    const {selection} = this.board;
    this.rope = h("div", {class: "board-lasso", "aria-hidden": "true"});
    this.before = this.#begun.add || this.#begun.range ? selection.list : [];
    this.boxes = [...this.area.querySelectorAll(".tile")].filter((tile) => tile.checkVisibility()).map((tile) => ({id: Number(tile.dataset.id), box: tile.getBoundingClientRect()}));
    document.body.append(this.rope);
  }

  // Once a picture of the page, however often the mouse tells where it is.
  #step() {
    cancelAnimationFrame(this.#frame);
    if (!this.#mode) return;
    if (this.#mode === "drag") this.#follow();
    else this.#catch();
    this.#frame = requestAnimationFrame(() => this.#step());
  }

  #follow() {
    const {x, y} = this.#at, {board} = this;
    this.ghost.style.transform = `translate(${x}px, ${y}px)`;
    const place = placeAt(x, y);
    if (place !== this.#target) {
      board.promise(this.#target, null);
      this.#target = place;
      const words = place === null ? null : board.promise(place, board.selection.list);
      this.words.textContent = words || manyItems(board.selection.ids.size, board.kind);
    }
    this.#scroll();
  }

  #catch() {
    const {x, y} = this.#at, left = Math.min(x, this.#begun.x), top = Math.min(y, this.#begun.y), right = Math.max(x, this.#begun.x), bottom = Math.max(y, this.#begun.y);
    Object.assign(this.rope.style, {left: `${left}px`, top: `${top}px`, width: `${right - left}px`, height: `${bottom - top}px`});
    const caught = this.boxes.filter(({box}) => box.left < right && box.right > left && box.top < bottom && box.bottom > top).map(({id}) => id);
    const said = caught.join();
    if (said !== this.caught) this.board.selection.set([...this.before, ...caught]);
    this.caught = said;
  }

  // Near an edge the board comes along.
  #scroll() {
    const {x, y} = this.#at;
    for (const each of this.board.scrollers()) {
      const box = each.getBoundingClientRect();
      if (x < box.left || x > box.right || y < box.top || y > box.bottom) continue;
      each.scrollLeft += speed(x - box.left, box.right - x);
      each.scrollTop += speed(y - box.top, box.bottom - y);
    }
  }

  #up(event) {
    const begun = this.#begun;
    if (!begun || event.pointerId !== begun.id) return;
    const {board} = this, mode = this.#mode, ids = board.selection.list;
    const place = mode === "drag" ? placeAt(event.clientX, event.clientY) : null;
    this.#end();
    if (mode === "drag" && place !== null) board.drop(ids, place);
    else if (!mode && begun.tile) board.selection.pick(begun.tile, {add: begun.add || begun.pointerType === "touch", range: begun.range});
    else if (!mode) board.selection.set([]);
  }

  cancel() {
    if (this.#begun) this.#end();
  }

  #end() {
    clearTimeout(this.#timer);
    cancelAnimationFrame(this.#frame);
    if (this.#target !== null) this.board.promise(this.#target, null);
    this.#begun = this.#target = null;
    // After the drop, which is more to be told than what others did.
    if (this.#mode) queueMicrotask(() => this.active || this.board.hold(false));
    this.#mode = this.caught = "";
    this.reins.remove();
    for (const each of document.querySelectorAll(".tile.lifted")) each.classList.remove("lifted");
    this.ghost?.remove();
    this.rope?.remove();
  }
}

// The place that a drop here would go to; what was said of the last one is not in its way.
function placeAt(x, y) {
  const on = document.elementsFromPoint(x, y).find((each) => !each.closest("selects-toasts"));
  return on?.closest("[data-place]")?.dataset.place ?? null;
}

function onScrollbar(event) {
  const {clientWidth, clientHeight} = event.target, box = event.target.getBoundingClientRect();
  return event.clientX - box.left > clientWidth || event.clientY - box.top > clientHeight;
}
