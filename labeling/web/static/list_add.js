// From anywhere into a list: the lists changed last, or a new one.

import {get, post, withQuery} from "./api.js";
import {boot} from "./boot.js";
import {openMenu} from "./dom.js";
import {askNew} from "./lists_new.js";
import {attempt, toast} from "./toasts.js";

const OFFERED = 12;

// `entry` as the API takes it: an approved candidate, or frames of a film, which approves them.
export async function offerLists(at, entry) {
  const found = await attempt(() => get(withQuery("/api/lists", {project: boot.project, limit: OFFERED})));
  if (!found) return;
  const put = async (list) => {
    const {entries} = await post(`/api/lists/${list.id}/entries`, {entries: [entry]});
    toast(`It is in “${list.name}”${entries.length ? "" : " already"}.`, {actions: [{words: "Open the list", run: () => document.querySelector("selects-app").go(`/lists/${list.id}`)}]});
  };
  openMenu(at, [...found.items.map((list) => ({words: list.name, run: () => attempt(() => put(list))})), {words: "New list …", run: () => askNew(put)}]);
}
