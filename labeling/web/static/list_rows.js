// The clips of a list in order: dragged or moved by keys, one or several at once.

import {h} from "./dom.js";
import {ListRow} from "./list_row.js";
import {FAR, REST_MS, speed} from "./pointer.js";

// Events: "play" id; "choose" id; "move" {ids, before}; "act" {name, id}.
export class ListRows extends EventTarget {
  #rows = new Map();
  #chosen = new Set();
  #held = null;
  #drag = null;

  constructor({mayEdit}) {
    super();
    this.mayEdit = mayEdit;
    this.element = h("ol", {class: "list-rows", role: "listbox", "aria-multiselectable": "true", "aria-label": "Clips, in the order in which they play"});
    this.mark = h("li", {class: "list-drop", "aria-hidden": "true"});
    for (const [name, does] of Object.entries({pointerdown: this.#down, pointermove: this.#move, pointerup: this.#up, pointercancel: this.cancel, keydown: this.#key, focusin: this.#focus, dblclick: this.#open}))
      this.element.addEventListener(name, does);
    this.element.addEventListener("dragstart", (event) => event.preventDefault());
    this.element.addEventListener("touchmove", (event) => this.#drag?.on && event.cancelable && event.preventDefault(), {passive: false});
  }

  show(entries) {
    this.entries = entries;
    const there = new Set(entries.map((each) => each.id)), focused = this.#rows.get(this.#held)?.element.contains(document.activeElement);
    for (const [id, row] of this.#rows) if (!there.has(id)) row.element.remove(), this.#rows.delete(id), this.#chosen.delete(id);
    let before = this.element.firstElementChild;
    for (const [at, entry] of entries.entries()) {
      const row = this.#rows.get(entry.id) ?? this.#make(entry);
      row.show(entry, at + 1);
      if (row.element === before) before = before.nextElementSibling;
      else this.element.insertBefore(row.element, before);
    }
    if (!there.has(this.#held)) this.#hold(entries[0]?.id ?? null);
    if (focused && !this.element.contains(document.activeElement)) this.#rows.get(this.#held)?.element.focus({preventScroll: true});
    this.#paint();
  }

  // Which one is shown in the player.
  playing(id) {
    for (const [each, row] of this.#rows) row.element.classList.toggle("on", each === id);
  }

  get chosen() {
    const ids = this.entries.map((each) => each.id).filter((id) => this.#chosen.has(id));
    return ids.length ? ids : [this.#held].filter((id) => id !== null);
  }

  get held() {
    return this.#held;
  }

  focus(id = this.#held) {
    this.#rows.get(id)?.element.focus();
  }

  cancel = () => {
    if (!this.#drag) return;
    clearTimeout(this.#drag.timer);
    cancelAnimationFrame(this.#drag.frame);
    this.#drag.ghost?.remove();
    this.mark.remove();
    for (const row of this.#rows.values()) row.element.classList.remove("lifted");
    this.#drag = null;
  };

  #make(entry) {
    const row = new ListRow({mayEdit: this.mayEdit, act: (name, id, at) => this.#send("act", {name, id, at}), play: (id) => this.#send("play", id)});
    this.#rows.set(entry.id, row);
    return row;
  }

  #hold(id) {
    this.#held = id;
    for (const [each, row] of this.#rows) row.element.tabIndex = each === id ? 0 : -1;
  }

  #paint() {
    for (const [id, row] of this.#rows) {
      const on = this.#chosen.has(id);
      row.element.setAttribute("aria-selected", String(on));
    }
  }

  #choose(id, {add = false, range = false} = {}) {
    const ids = this.entries.map((each) => each.id);
    if (range && this.#held !== null) {
      const [low, high] = [ids.indexOf(this.#held), ids.indexOf(id)].sort((one, other) => one - other);
      this.#chosen = new Set(ids.slice(low, high + 1));
    } else if (add) {
      if (!this.#chosen.delete(id)) this.#chosen.add(id);
    } else this.#chosen = new Set([id]);
    if (!range) this.#hold(id);
    this.#paint();
    this.#send("choose", id);
  }

  #focus = (event) => {
    const id = idOf(event.target);
    if (id !== null && id !== this.#held) this.#hold(id);
  };

  #open = (event) => {
    const id = idOf(event.target);
    if (id !== null && !event.target.closest("button, a, input, textarea")) this.#send("play", id);
  };

  #down = (event) => {
    if (event.button || this.#drag || event.target.closest("button, a, input, textarea")) return;
    const id = idOf(event.target);
    if (id === null) return;
    this.#drag = {id, pointer: event.pointerId, touch: event.pointerType === "touch", x: event.clientX, y: event.clientY, at: event.clientY, on: false, add: event.ctrlKey || event.metaKey, range: event.shiftKey};
    if (this.#drag.touch) this.#drag.timer = setTimeout(() => this.#begin(), REST_MS);
    else this.#rows.get(id).element.focus({preventScroll: true});
  };

  #move = (event) => {
    const drag = this.#drag;
    if (!drag || event.pointerId !== drag.pointer) return;
    drag.at = event.clientY;
    const far = Math.hypot(event.clientX - drag.x, event.clientY - drag.y) > FAR;
    if (!drag.on && far && drag.touch) this.cancel();
    else if (!drag.on && far) this.#begin();
  };

  #begin() {
    const drag = this.#drag;
    if (!this.mayEdit) return;
    if (!this.#chosen.has(drag.id)) this.#choose(drag.id);
    Object.assign(drag, {on: true, ids: this.chosen});
    this.element.setPointerCapture(drag.pointer);
    for (const id of drag.ids) this.#rows.get(id).element.classList.add("lifted");
    drag.ghost = h("div", {class: "list-ghost num", "aria-hidden": "true"}, drag.ids.length === 1 ? this.#rows.get(drag.id).entry.name : `${drag.ids.length} clips`);
    document.body.append(drag.ghost);
    this.#step();
  }

  #step() {
    const drag = this.#drag;
    if (!drag?.on) return;
    drag.ghost.style.transform = `translate(${drag.x}px, ${drag.at}px)`;
    const box = this.element.getBoundingClientRect();
    this.element.scrollTop += speed(drag.at - box.top, box.bottom - drag.at);
    drag.before = this.#beforeAt(drag.at);
    this.element.insertBefore(this.mark, drag.before === null ? null : this.#rows.get(drag.before).element);
    drag.frame = requestAnimationFrame(() => this.#step());
  }

  // The clip before which a drop at this height would put what is dragged.
  #beforeAt(y) {
    for (const {id} of this.entries) {
      const {element} = this.#rows.get(id), box = element.getBoundingClientRect();
      if (y < box.top + box.height / 2 && !this.#drag.ids.includes(id)) return id;
    }
    return null;
  }

  #up = (event) => {
    const drag = this.#drag;
    if (!drag || event.pointerId !== drag.pointer) return;
    this.cancel();
    if (drag.on) this.#send("move", {ids: drag.ids, before: drag.before ?? null});
    else this.#choose(drag.id, {add: drag.add || drag.touch, range: drag.range});
  };

  #key = (event) => {
    if (event.target.closest("input, textarea, button, a") && event.key !== "Escape") return;
    const step = {ArrowDown: 1, ArrowUp: -1}[event.key], ids = this.entries.map((each) => each.id), at = ids.indexOf(this.#held);
    if (event.key === "Escape" && this.#drag) this.cancel();
    else if (step && event.altKey && this.mayEdit) this.#shift(step);
    else if (step && ids[at + step] !== undefined) {
      if (event.shiftKey) this.#chosen.add(ids[at]).add(ids[at + step]), this.#paint();
      this.focus(ids[at + step]);
    } else if (event.key === "Home" || event.key === "End") this.focus(ids.at(event.key === "Home" ? 0 : -1));
    else if (event.key === "Enter") this.#send("play", this.#held);
    else if (event.key === "a" && (event.ctrlKey || event.metaKey)) this.#chosen = new Set(ids), this.#paint();
    else if (event.key === "x" && !event.ctrlKey) this.#choose(this.#held, {add: true});
    else if (["Delete", "Backspace"].includes(event.key) && this.mayEdit) this.#send("act", {name: "remove", id: this.#held});
    else return;
    event.preventDefault();
    event.stopPropagation();
  };

  // Up or down by one place, all that is chosen together.
  #shift(step) {
    const chosen = this.chosen, rest = this.entries.map((each) => each.id).filter((id) => !chosen.includes(id));
    const ids = this.entries.map((each) => each.id), first = ids.indexOf(chosen[0]);
    const above = ids.slice(0, first).filter((id) => !chosen.includes(id)).length, at = above + step;
    if (at < 0 || at > rest.length) return;
    this.#send("move", {ids: chosen, before: rest[at] ?? null});
    requestAnimationFrame(() => this.#rows.get(this.#held)?.element.scrollIntoView({block: "nearest"}));
  }

  #send(name, detail) {
    this.dispatchEvent(new CustomEvent(name, {detail}));
  }
}

function idOf(target) {
  const row = target.closest?.(".list-row");
  return row ? Number(row.dataset.id) : null;
}
