// "Move to …": clusters by name or number, found while one types.

import {get, withQuery} from "./api.js";
import {boot} from "./boot.js";
import {figureWords, nameOf, NEW, NOISE, VIEWS} from "./board_words.js";
import {cutFace, pictureOf} from "./board_tile.js";
import {h} from "./dom.js";

const SHOWN = 30;
const WAIT_MS = 150;

// Gives {place, name} by chosen(); `others`: places that are no choice; `extras`: whether noise and a new cluster are.
export function pickPlace({title, shelves, others = [], extras = true, chosen}) {
  const {kind} = shelves.scope;
  let options = [], at = 0, asked = 0, timer = null;
  const list = h("ul", {class: "board-options", role: "listbox", id: "board-options", "aria-label": VIEWS[kind].tab});
  const field = h("input", {class: "input", role: "combobox", "aria-expanded": "true", "aria-controls": "board-options", "aria-label": title, placeholder: "Name or number", autocomplete: "off"});
  const dialog = h("dialog", {"aria-label": title, class: "board-pick"}, h("div", {class: "stack"}, h("h2", {class: "wrap"}, title), field, list));
  const choose = (option) => { if (option) dialog.close(), chosen(option); };
  const mark = (to) => {
    list.children[at]?.setAttribute("aria-selected", "false");
    at = Math.min(Math.max(to, 0), options.length - 1);
    const row = list.children[at];
    row?.setAttribute("aria-selected", "true");
    row?.scrollIntoView({block: "nearest"});
    field.setAttribute("aria-activedescendant", row?.id ?? "");
  };
  const show = (found) => {
    const words = field.value.trim();
    options = [...found, ...(extras ? special(kind, words, others) : [])];
    list.replaceChildren(...options.map((option, number) => row(option, number, kind, () => choose(option))));
    if (!options.length) list.append(h("li", {class: "muted"}, "No cluster is called that."));
    mark(0);
  };
  const look = async () => {
    const words = field.value.trim(), mine = ++asked;
    const local = [...shelves.clusters].filter(([place, cluster]) => place !== NOISE && !others.includes(place) && fits(cluster, words)).map(([place, cluster]) => ({place, cluster, figures: shelves.figures(place)}));
    show(local.slice(0, SHOWN));
    clearTimeout(timer);
    if (!words || local.length >= SHOWN) return;
    timer = setTimeout(async () => {
      const found = await get(withQuery("/api/clusters", {project: boot.project, kind, q: words, limit: SHOWN})).catch(() => null);
      if (!found || mine !== asked) return;
      const known = new Set(local.map(({place}) => place));
      const far = found.items.filter((each) => !known.has(String(each.id)) && !others.includes(String(each.id))).map((cluster) => ({place: shelves.know(cluster), cluster, figures: {size: cluster.size, seconds: cluster.screen_time_s}}));
      if (far.length) show([...local, ...far].slice(0, SHOWN));
    }, WAIT_MS);
  };
  field.addEventListener("input", look);
  list.addEventListener("load", (event) => cutFace(event.target), {capture: true});
  dialog.addEventListener("keydown", (event) => {
    const step = {ArrowDown: 1, ArrowUp: -1, PageDown: 8, PageUp: -8}[event.key];
    if (step) event.preventDefault(), mark(at + step);
    if (event.key === "Enter") event.preventDefault(), choose(options[at]);
  });
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  dialog.addEventListener("close", () => { asked++; dialog.remove(); });
  document.body.append(dialog);
  dialog.showModal();
  field.focus();
  look();
}

function fits(cluster, words) {
  return !words || nameOf(cluster).toLowerCase().includes(words.toLowerCase()) || String(cluster.id) === words;
}

function special(kind, words, others) {
  const made = {place: NEW, name: words, words: words ? `New ${VIEWS[kind].one} “${words}”` : `New ${VIEWS[kind].one}`};
  return others.includes(NOISE) ? [made] : [made, {place: NOISE, words: "Noise: not this"}];
}

function row({cluster, words, figures}, number, kind, run) {
  const cover = cluster?.cover ? pictureOf(cluster.cover) : "";
  return h("li", {class: "board-option", id: `board-option-${number}`, role: "option", "aria-selected": "false", onclick: run},
    h("span", {class: `board-option-cover ${kind}`}, cover), h("span", {class: "board-option-name"}, cluster ? nameOf(cluster) : words), h("span", {class: "small muted num"}, cluster ? figureWords(figures, kind) : ""));
}
