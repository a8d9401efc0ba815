// What the address says of the board: which view, within which place, in which order, what is looked for, what is open.

import {SORTS, VIEWS} from "./board_words.js";

const START = {kind: "scene", scene: "", q: "", sort: "size", open: ""};

export function scopeOf(search) {
  const said = new URLSearchParams(search), scope = Object.fromEntries(Object.entries(START).map(([name, first]) => [name, said.get(name) ?? first]));
  if (!(scope.kind in VIEWS)) scope.kind = START.kind;
  if (!(scope.sort in SORTS)) scope.sort = START.sort;
  return scope;
}

export function addressOf(scope) {
  const query = new URLSearchParams(Object.entries(scope).filter(([name, value]) => value !== START[name])).toString();
  return `/board${query ? `?${query}` : ""}`;
}
