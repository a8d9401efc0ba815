// The chips under the search box. Each is a question that can be left open.

import {get, getAll, withQuery} from "./api.js";
import {nameOf, VIEWS} from "./board_words.js";
import {boot} from "./boot.js";
import {button, h} from "./dom.js";

const MOST = 200;
const NAMES = ["film", "genre", "year_min", "year_max", "has_faces", "has_speech", "dialogue_scene", "min_duration_s", "max_duration_s"];

// Places and people are one question to the API: `cluster`, which may be asked twice.
const CLUSTERS = {scene: "Any place", character: "Anybody"};

export class Filters {
  #loading = null;

  constructor(changed) {
    this.fields = {
      film: select("Film", [["", "Any film"]]), genre: select("Genre", [["", "Any genre"]]),
      year_min: number("From year", 1870, 2200, "from"), year_max: number("To year", 1870, 2200, "to"),
      has_faces: select("Faces", [["", "Faces or none"], ["true", "With faces"], ["false", "Without faces"]]),
      has_speech: select("Speech", [["", "Speech or none"], ["true", "With speech"], ["false", "Without speech"]]),
      dialogue_scene: select("Dialogue of two", [["", "Any scene"], ["true", "Dialogue of two"], ["false", "Other scenes"]]),
      min_duration_s: number("Shortest shot, seconds", 0, 36000, "any"), max_duration_s: number("Longest shot, seconds", 0, 36000, "any"),
    };
    this.clusters = Object.fromEntries(Object.entries(CLUSTERS).map(([kind, any]) => [kind, select(VIEWS[kind].tab, [["", any]])]));
    this.grouped = Object.values(this.clusters).map((field) => h("span", {class: "chip", hidden: true}, field));
    const {film, genre, year_min, year_max, has_faces, has_speech, dialogue_scene, min_duration_s, max_duration_s} = this.fields;
    const clear = button("Clear", () => { this.read(new URLSearchParams()); changed(); }, {kind: "plain"});
    this.clear = clear;
    this.element = h("div", {class: "bar chips", role: "group", "aria-label": "Filters"}, chip(film), chip(genre), ...this.grouped, chip("Years", year_min, "–", year_max),
      chip(has_faces), chip(has_speech), chip(dialogue_scene), chip("Shots of", min_duration_s, "–", max_duration_s, "s"), clear);
    this.element.addEventListener("change", () => { this.#mark(); changed(); });
    this.#mark();
  }

  get values() {
    const cluster = Object.values(this.clusters).map((field) => field.value).filter(Boolean);
    return Object.fromEntries([...NAMES.map((name) => [name, this.fields[name].value]), ["cluster", cluster]].filter(([, value]) => value.length));
  }

  // Sets the chips from an address.
  read(said) {
    const asked = said.getAll("cluster");
    for (const field of Object.values(this.clusters)) field.value = [...field.options].find((option) => option.value && asked.includes(option.value))?.value ?? "";
    for (const name of NAMES) this.fields[name].value = said.get(name) ?? "";
    this.#mark();
  }

  // The films and genres that there are, and places and people with a name; once a project. `asked`: clusters that are no
  // less a choice without one.
  async load(asked = []) {
    await (this.#loading ??= Promise.all([this.#load(), ...Object.keys(CLUSTERS).map((kind) => this.#named(kind))]));
    const known = new Set(Object.values(this.clusters).flatMap((field) => [...field.options].map((option) => option.value)));
    const more = await Promise.all(asked.filter((id) => !known.has(id)).map((id) => get(`/api/clusters/${id}`).catch(() => null)));
    for (const cluster of more) if (cluster) this.#offer(cluster.kind, [cluster]);
  }

  async #named(kind) {
    if (!boot.project) return;
    const found = await get(withQuery("/api/clusters", {project: boot.project, kind, sort: "name", limit: MOST})).catch(() => ({items: []}));
    this.#offer(kind, found.items.filter((each) => each.name));
  }

  #offer(kind, clusters) {
    const field = this.clusters[kind];
    field.append(...clusters.map((each) => h("option", {value: each.id}, nameOf(each))));
    field.parentElement.hidden = field.options.length < 2;
  }

  async #load() {
    if (!boot.project) return;
    const films = await getAll(withQuery("/api/movies", {project: boot.project, sort: "title", state: "ready"})).catch(() => []);
    const options = (pairs) => pairs.map(([value, words]) => h("option", {value}, words));
    this.fields.film.append(...options(films.map((film) => [film.id, film.title])));
    this.fields.genre.append(...options([...new Set(films.flatMap((film) => film.genres))].sort().map((name) => [name, name])));
  }

  #mark() {
    for (const part of this.element.querySelectorAll(".chip")) part.classList.toggle("on", [...part.querySelectorAll("input, select")].some((field) => field.value !== ""));
    this.clear.hidden = !Object.keys(this.values).length;
  }
}

function chip(...parts) {
  return h("span", {class: "chip"}, parts);
}

function select(label, options) {
  return h("select", {"aria-label": label}, options.map(([value, words]) => h("option", {value}, words)));
}

function number(label, min, max, placeholder) {
  return h("input", {type: "number", class: "num", min, max, step: "any", placeholder, "aria-label": label});
}
