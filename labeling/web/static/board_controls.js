// What stands above the board: which view, how it is laid out, what is looked for, and what can be done with the selection.

import {mayEdit} from "./boot.js";
import {manyItems, SORTS, VIEWS} from "./board_words.js";
import {button, h} from "./dom.js";
import {grouped} from "./words.js";

const LAYOUTS = {columns: "Columns", wall: "Wall"};
const WAIT_MS = 250;

export class Controls {
  #timer = null;

  // `board`: {go(scope), layout(name), panels, askMove(), makeNew(), notThis(), split(), escape(), askRefresh(), showKeys()}
  constructor(board) {
    this.kinds = choices("Show", Object.entries(VIEWS).map(([name, {tab}]) => [name, tab]), (kind) => board.go({kind, scene: "", q: ""}));
    this.layouts = choices("Layout", Object.entries(LAYOUTS), (layout) => board.layout(layout));
    this.text = h("input", {type: "search", class: "input board-filter", placeholder: "Name", "aria-label": "Filter by name (/)",
      oninput: () => { clearTimeout(this.#timer); this.#timer = setTimeout(() => board.go({q: this.text.value.trim()}), WAIT_MS); }});
    this.sort = h("select", {class: "input", "aria-label": "Order", onchange: () => board.go({sort: this.sort.value})}, Object.entries(SORTS).map(([name, words]) => h("option", {value: name}, words)));
    this.scene = h("span", {class: "chip on", hidden: true});
    this.merges = button("", () => board.panels.toggle("merges"), {"aria-expanded": "false"});
    this.history = button("History", () => board.panels.toggle("history"), {title: "Every correction (h)", "aria-expanded": "false"});
    this.refresh = mayEdit() ? button("Cluster anew …", () => board.askRefresh(), {kind: "plain"}) : null;
    this.keys = button("", () => board.showKeys(), {kind: "plain", symbol: "keys", title: "All keys (?)"});
    this.status = h("p", {class: "muted num board-status", role: "status"});
    this.acts = mayEdit() ? this.#acts(board) : h("span", {hidden: true});
    this.head = h("header", {class: "page-head board-bar"}, h("h1", {}, "Board"), this.kinds, this.layouts, this.text, this.sort,
      h("div", {class: "bar"}, this.history, this.keys));
    this.row = h("div", {class: "board-row"}, this.scene, this.status, this.acts, h("div", {class: "bar board-row-end"}, this.merges, this.refresh));
    this.leave = button("", () => board.go({scene: ""}), {kind: "plain", symbol: "close", title: "Everywhere"});
  }

  #acts(board) {
    const act = (words, key, run, title) => button(words, run, {title: `${title} (${key})`, "aria-keyshortcuts": key});
    this.splitter = act("Split off", "s", () => board.deeds.split(), "A cluster of its own, out of one");
    return h("div", {class: "bar board-acts", role: "toolbar", "aria-label": "What to do with the selection", hidden: true},
      act("Move to …", "m", () => board.deeds.askMove(), "To a cluster by name"), act("New cluster", "n", () => board.deeds.makeNew(), "Out of the selection"),
      this.splitter, act("Not this", "x", () => board.deeds.notThis(), "To noise, and never here again by itself"),
      button("", () => board.escape(), {kind: "plain", symbol: "close", title: "Select nothing (Esc)"}));
  }

  show({kind, q, sort}, layout, scene) {
    mark(this.kinds, kind);
    mark(this.layouts, layout);
    if (document.activeElement !== this.text) this.text.value = q;
    this.sort.value = sort;
    this.scene.hidden = !scene;
    if (scene) this.scene.replaceChildren(`in ${scene}`, this.leave);
  }

  tell({kind, total, shown, selected, one}) {
    const {one: single, more} = VIEWS[kind], count = `${grouped(total)} ${total === 1 ? single : more}`;
    this.status.textContent = selected ? `${manyItems(selected, kind)} selected` : shown < total ? `${grouped(shown)} of ${count}` : count;
    this.acts.hidden = !selected;
    if (this.splitter) this.splitter.disabled = !one;
  }

  panels(panels) {
    const {likely, shown} = panels;
    this.merges.textContent = likely ? `${grouped(likely)} to merge?` : "Merge?";
    this.merges.title = "Clusters that may be one, the surest first";
    this.merges.setAttribute("aria-expanded", String(shown === "merges"));
    this.history.setAttribute("aria-expanded", String(shown === "history"));
  }
}

// One of a few: buttons that say which is chosen.
function choices(label, entries, chosen) {
  return h("div", {class: "board-choice", role: "group", "aria-label": label}, entries.map(([name, words]) => button(words, () => chosen(name), {dataset: {name}, "aria-pressed": "false"})));
}

function mark(group, name) {
  for (const each of group.children) each.setAttribute("aria-pressed", String(each.dataset.name === name));
}
