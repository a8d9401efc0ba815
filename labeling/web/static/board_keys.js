// The keys of the board.

import {isTyping} from "./dom.js";

export const KEYS = [
  ["← → ↑ ↓", "to the next thumbnail; with Shift they are selected on the way"], ["space", "select this one, or not"], ["Ctrl a", "select all that is loaded of this cluster"],
  ["m", "move to …: type a name or number"], ["n", "a new cluster out of the selection"], ["x", "not this: to noise, and never here again by itself"],
  ["s", "split the selection off its cluster"], ["j", "merge this cluster with …"], ["r, F2", "rename this cluster"], ["u, Ctrl z", "take back the last correction"],
  ["Enter", "open the film there; on a cover, show what lies in it"], ["Home End", "the first, the last of this cluster"], ["/", "filter clusters"], ["h", "history"], ["Esc", "select nothing"], ["?", "these keys"],
];

const STEPS = {ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1]};
const CHANGES = new Set(["m", "n", "x", "s", "j", "r", "F2", "u"]);

// `board` does what the keys say; see actions.
export function boardKeys(board, signal) {
  document.addEventListener("keydown", (event) => {
    const at = event.target;
    if (document.querySelector("dialog[open], .menu")) return;
    const command = event.ctrlKey || event.metaKey ? commands(board, event, at) : null;
    if (!command && isTyping(event)) return;
    const name = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    const pressing = [" ", "Enter"].includes(event.key) && at.closest?.("button, a, summary");
    const run = command ?? (pressing || (CHANGES.has(name) && !board.mayMove) ? null : actions(board, name, event));
    if (!run) return;
    event.preventDefault();
    run();
  }, {signal});
}

function commands(board, event, at) {
  if (/^(INPUT|SELECT|TEXTAREA)$/.test(at.tagName) || event.altKey) return null;
  if (event.key === "z" && !event.shiftKey && board.mayMove) return () => board.undo();
  return event.key === "a" ? () => board.selectAll() : null;
}

function actions(board, name, event) {
  const step = STEPS[name];
  if (step) return () => board.step(...step, event.shiftKey);
  return {
    " ": () => board.toggle(), Enter: () => board.openFilm(), Home: () => board.toEnd(0), End: () => board.toEnd(-1), Escape: () => board.escape(),
    m: () => board.deeds.askMove(), n: () => board.deeds.makeNew(), x: () => board.deeds.notThis(), s: () => board.deeds.split(), j: () => board.deeds.askMerge(), r: () => board.deeds.rename(), F2: () => board.deeds.rename(),
    u: () => board.undo(), h: () => board.panels.toggle("history"), "/": () => board.controls.text.focus(), "?": () => board.showKeys(),
  }[name];
}
