// The poster wall: films come in, show how far they are, and are opened, changed and deleted.

import {get, getAll, post, withQuery} from "./api.js";
import {boot, mayEdit, remember, remembered} from "./boot.js";
import {fileCard, FilmCard} from "./card.js";
import {button, h, openDialog} from "./dom.js";
import {jobs} from "./jobs.js";
import {missing} from "./missing.js";
import {attempt, tell, toast} from "./toasts.js";
import {filesOf, isFilm, TYPES, uploads} from "./uploads.js";
import {many} from "./words.js";

const SORTS = {newest: "Newest first", oldest: "Oldest first", title: "By title", year: "By year", longest: "Longest first"};
const STATES = {"": "All films", ready: "Ready", working: "In work", failed: "Failed"};
const IN_WORK = new Set(["working", "waiting"]);

class Library extends HTMLElement {
  #films = [];
  #cards = new Map();
  #filter = {text: "", genre: "", state: ""};
  #loads = 0;
  #stop = null;

  connectedCallback() {
    document.title = "Library · Selects";
    if (!this.wall) this.#build();
    this.#listen();
    this.load();
  }

  disconnectedCallback() {
    this.#stop.abort();
  }

  #listen() {
    const {signal} = this.#stop = new AbortController();
    jobs.addEventListener("change", () => this.#progress(), {signal});
    jobs.addEventListener("ended", (event) => event.detail.movie_id && this.#renew(event.detail.movie_id), {signal});
    uploads.addEventListener("change", () => this.#draw(), {signal});
    uploads.addEventListener("added", (event) => this.#added(event.detail), {signal});
  }

  #build() {
    this.className = "page library";
    this.count = h("p", {class: "muted num", role: "status"});
    this.wall = h("ul", {class: "wall"});
    this.nothing = h("section", {class: "empty", hidden: true});
    this.picker = h("input", {type: "file", multiple: true, accept: [...TYPES, "video/*"].join(), class: "sr", tabIndex: -1, "aria-label": "Films to upload",
      onchange: () => { uploads.add(this.picker.files); this.picker.value = ""; }});
    this.bar = this.#controls();
    this.append(h("header", {class: "page-head"}, h("h1", {}, "Library"), this.count, this.bar), this.picker, this.#dropStrip(), this.wall, this.nothing);
    this.#takeDrops();
  }

  #controls() {
    const text = h("input", {type: "search", class: "input", placeholder: "Title", "aria-label": "Filter by title",
      oninput: () => { this.#filter.text = text.value.trim().toLowerCase(); this.#draw(); }});
    this.genres = h("select", {class: "input", "aria-label": "Genre", onchange: () => { this.#filter.genre = this.genres.value; this.#draw(); }}, h("option", {value: ""}, "All genres"));
    const state = choice("State", STATES, "", (value) => { this.#filter.state = value; this.#draw(); });
    const sort = choice("Order", SORTS, remembered("sort", "newest"), (value) => { remember("sort", value); this.load(); });
    this.sort = sort;
    this.clear = () => { text.value = state.value = this.genres.value = ""; this.#filter = {text: "", genre: "", state: ""}; this.#draw(); };
    return h("div", {class: "bar"}, text, this.genres, state, sort);
  }

  #dropStrip() {
    this.strip = h("div", {class: "drop", hidden: !mayEdit()}, h("span", {}, "Drop films here, or"), button("Choose files …", () => this.picker.click()),
      boot.roots.length ? button("Add by path …", () => addByPath(), {kind: "plain"}) : null);
    return this.strip;
  }

  async load() {
    if (!boot.project) return this.#draw();
    const load = ++this.#loads;
    if (!this.loaded) this.count.textContent = "Loading …";
    this.problem = null;
    const films = await getAll(withQuery("/api/movies", {project: boot.project, sort: this.sort.value})).catch((error) => error);
    if (load !== this.#loads) return undefined;
    if (films instanceof Error) return this.#unloaded(films);
    this.#films = films;
    this.loaded = true;
    const known = [...new Set(films.flatMap((film) => film.genres))].sort();
    const chosen = this.genres.value;
    this.genres.replaceChildren(h("option", {value: ""}, "All genres"), ...known.map((name) => h("option", {value: name}, name)));
    this.genres.value = known.includes(chosen) ? chosen : "";
    return this.#draw();
  }

  // What is shown already stays; an empty wall says why it is empty.
  #unloaded(error) {
    if (this.loaded) return tell(error);
    this.problem = error;
    return this.#draw();
  }

  async #renew(id) {
    const film = await get(`/api/movies/${id}`).catch(() => null);
    const at = this.#films.findIndex((each) => each.id === id);
    if (!film) this.#films = this.#films.filter((each) => each.id !== id);
    else if (at < 0) this.#films.unshift(film);
    else this.#films[at] = film;
    this.#draw();
  }

  #added({movie, known}) {
    if (movie.project_id !== boot.project) return;
    if (known) toast(`“${movie.title}” is in the library already; it was not added twice.`);
    this.#films = [movie, ...this.#films.filter((film) => film.id !== movie.id)];
    this.#draw();
  }

  #passes(film) {
    const {text, genre, state} = this.#filter;
    const states = state === "working" ? IN_WORK.has(film.state) : !state || film.state === state;
    return states && (!text || film.title.toLowerCase().includes(text)) && (!genre || film.genres.includes(genre));
  }

  #draw() {
    const sending = uploads.of(boot.project), shown = this.#films.filter((film) => this.#passes(film));
    const none = !this.#films.length && !sending.length, ready = this.loaded || !boot.project;
    if (this.problem) return this.#blank();
    this.count.textContent = none ? "" : shown.length === this.#films.length ? many(shown.length, "film") : `${shown.length} of ${many(this.#films.length, "film")}`;
    this.bar.hidden = none;
    this.strip.hidden = none || !mayEdit();
    this.nothing.hidden = !ready || (shown.length + sending.length > 0);
    if (!this.nothing.hidden) this.nothing.replaceChildren(...(none ? this.#welcome() : this.#unmatched()));
    const cards = [...sending.map((upload) => this.#upload(upload)), ...shown.map((film) => this.#card(film))];
    if (cards.length !== this.wall.children.length || cards.some((card, at) => card !== this.wall.children[at])) this.wall.replaceChildren(...cards);
    for (const id of this.#cards.keys()) if (!this.#films.some((film) => film.id === id)) this.#cards.delete(id);
  }

  #blank() {
    this.count.textContent = "";
    this.nothing.hidden = false;
    this.nothing.replaceChildren(...missing("The library could not be loaded.", this.problem, () => this.load()));
  }

  #card(film) {
    let card = this.#cards.get(film.id);
    if (!card) this.#cards.set(film.id, card = new FilmCard((id) => this.#renew(id)));
    card.show(film, jobs.of(film.id));
    return card.element;
  }

  #upload(upload) {
    upload.card ??= fileCard(upload);
    upload.card.show();
    return upload.card.element;
  }

  #progress() {
    for (const job of jobs.list) {
      const film = this.#films.find((each) => each.id === job.movie_id);
      if (!film) job.movie_id && this.#renew(job.movie_id);
      else if (!film.picture || !IN_WORK.has(film.state)) this.#catchUp(film, job);
      if (film) this.#cards.get(film.id)?.show(film, job);
    }
  }

  // A film that is analysed has its picture and facts before the job has ended.
  #catchUp(film, job) {
    if (film.seen === job.stage) return;
    film.seen = job.stage;
    get(`/api/movies/${film.id}`).then((now) => { Object.assign(film, now); this.#cards.get(film.id)?.show(film, jobs.of(film.id)); }, () => undefined);
  }

  #welcome() {
    if (!boot.project) return noProject();
    const zone = mayEdit() ? [h("div", {class: "drop large"}, h("p", {}, "Drop films here"), button("Choose files …", () => this.picker.click(), {kind: "main"}),
      boot.roots.length ? button("Add by path …", () => addByPath()) : null),
    h("p", {class: "muted"}, "No film at hand?"), button("Make a sample film", () => this.#sample(), {title: "About five minutes, drawn by this server"})] : [];
    return [h("h1", {}, "No films yet"), h("p", {class: "muted"}, "Selects watches a film, finds its shots and scenes, and ranks the clips that are worth keeping. "
      + "You look, trim, and search for more like them."), ...zone, mayEdit() ? null : h("p", {}, "A curator of this project can add some.")].filter(Boolean);
  }

  #unmatched() {
    return [h("p", {}, "No film is like that."), button("Show all films", () => this.clear())];
  }

  async #sample() {
    const asked = this.nothing.querySelectorAll("button");
    asked.forEach((each) => { each.disabled = true; });
    toast("A sample film is being drawn; that takes a few seconds.");
    const added = await attempt(() => post("/api/movies/sample", {project: boot.project}));
    asked.forEach((each) => { each.disabled = false; });
    if (added) this.#added({movie: added.movie, known: false}), jobs.look();
  }

  #takeDrops() {
    let depth = 0;
    const carries = (event) => mayEdit() && boot.project && [...event.dataTransfer.types].includes("Files");
    const light = (on) => this.classList.toggle("dropping", on);
    this.addEventListener("dragenter", (event) => { if (carries(event)) event.preventDefault(), depth++, light(true); });
    this.addEventListener("dragleave", () => { depth = Math.max(0, depth - 1); if (!depth) light(false); });
    this.addEventListener("dragover", (event) => carries(event) && event.preventDefault());
    this.addEventListener("drop", async (event) => {
      if (!carries(event)) return;
      event.preventDefault();
      depth = 0;
      light(false);
      const files = await attempt(() => filesOf(event.dataTransfer, isFilm));
      if (files?.length) uploads.add(files);
      else if (files) toast("There is no film in what was dropped.", {problem: true});
    });
  }
}

customElements.define("selects-library", Library);

function choice(label, words, value, chosen) {
  const select = h("select", {class: "input", "aria-label": label}, Object.entries(words).map(([name, said]) => h("option", {value: name}, said)));
  select.value = value in words ? value : Object.keys(words)[0];
  select.addEventListener("change", () => chosen(select.value));
  return select;
}

function noProject() {
  if (!boot.superuser) return [h("h1", {}, "You are in no project yet"), h("p", {class: "muted"}, "Ask an admin of a project for an invitation.")];
  return [h("h1", {}, "No project yet"), h("p", {class: "muted"}, "Films, clips and the people who look at them belong to a project."),
    button("Make the first project", () => document.dispatchEvent(new CustomEvent("selects:new-project")), {kind: "main"})];
}

function addByPath() {
  openDialog({
    title: "Add a film by its path", confirm: "Add it",
    body: [h("p", {class: "muted wrap"}, `It is read where it lies and never touched. The server may read from: ${boot.roots.join(" · ")}`),
      h("label", {class: "field stacked"}, "Path on the server", h("input", {class: "input", name: "path", required: true, placeholder: `${boot.roots[0]}/film.mp4`, autofocus: true}))],
    ask: async (form) => {
      const added = await post("/api/movies", {project: boot.project, path: form.get("path").trim()});
      uploads.dispatchEvent(new CustomEvent("added", {detail: added}));
      jobs.look();
    },
  });
}
