// Approved clips to put into a list: film by film, the best first.

import {getAll, withQuery} from "./api.js";
import {boot} from "./boot.js";
import {h, openDialog} from "./dom.js";
import {clock, many, score} from "./words.js";

export async function askClips(model) {
  const films = (await getAll(withQuery("/api/movies", {project: boot.project}))).filter((film) => film.state === "ready");
  const there = new Set(model.entries.map((each) => each.candidate_id)), chosen = new Map();
  const select = h("select", {class: "input list-pick-film", "aria-label": "Film"}, films.map((film) => h("option", {value: film.id}, film.title)));
  const list = h("ul", {class: "list-pick", "aria-label": "Approved clips"}), said = h("p", {class: "small muted num", "aria-live": "polite"});
  let round = 0;
  const tell = () => { said.textContent = chosen.size ? `${many(chosen.size, "clip")}, ${clock([...chosen.values()].reduce((sum, each) => sum + each.end_s - each.start_s, 0))}` : "Nothing chosen yet."; };
  const show = async () => {
    const mine = ++round;
    if (!films.length) return void list.replaceChildren(h("li", {class: "muted"}, "No film is ready yet."));
    const found = await getAll(`/api/movies/${select.value}/candidates`).catch(() => []);
    if (mine !== round) return;
    const approved = found.filter((each) => each.verdict === "approve").sort((one, other) => (other.score ?? -1) - (one.score ?? -1));
    list.replaceChildren(...approved.map((clip) => row(clip, there.has(clip.id), chosen, tell)));
    if (!approved.length) list.append(h("li", {class: "muted"}, "No clip of this film is approved yet; the page Review is for that."));
  };
  select.addEventListener("change", show);
  openDialog({
    title: "Add approved clips", confirm: "Add", body: [select, list, said],
    ask: async () => { if (chosen.size) await model.add([...chosen.keys()].map((candidate) => ({candidate}))); },
  }).classList.add("list-pick-dialog");
  tell();
  await show();
}

function row(clip, there, chosen, tell) {
  const words = `${clock(clip.start_s)} – ${clock(clip.end_s)} (${clock(clip.end_s - clip.start_s)})`;
  const check = h("input", {type: "checkbox", checked: there || chosen.has(clip.id), disabled: there, onchange: () => { if (check.checked) chosen.set(clip.id, clip); else chosen.delete(clip.id); tell(); }});
  return h("li", {}, h("label", {class: "lists-film"}, check, h("span", {class: "num"}, words, h("span", {class: "muted"}, there ? " · in the list" : clip.score === null ? " · by hand" : ` · ${score(clip.score)} ${clip.band}`))));
}
