// One film on the wall, or one file on its way.

import {api, post} from "./api.js";
import {mayDelete, mayEdit} from "./boot.js";
import {button, h, openDialog, openMenu, progressBar, setProgress} from "./dom.js";
import {jobs} from "./jobs.js";
import {attempt, toast} from "./toasts.js";
import {uploads} from "./uploads.js";
import {bytes, clock, jobWords, many, percent} from "./words.js";

const MENDABLE = ["failed", "cancelled"];

// `changed` is called with the film's id when it is another one, or gone.
export class FilmCard {
  #film = null;
  #job = null;

  constructor(changed) {
    this.changed = changed;
    this.picture = h("img", {alt: "", loading: "lazy", decoding: "async", hidden: true});
    this.bar = progressBar(0, "Analysis");
    this.stage = h("span", {class: "small num"});
    this.work = h("span", {class: "poster-work", hidden: true}, this.stage, this.bar);
    this.poster = h("a", {class: "poster", draggable: false}, this.picture, this.work);
    this.title = h("a", {class: "card-title"});
    this.facts = h("p", {class: "card-facts small muted num"});
    this.menu = button("", () => openMenu(this.menu, this.#entries()), {kind: "plain card-menu", symbol: "more", title: "More", "aria-haspopup": "menu"});
    this.element = h("li", {class: "card"}, this.poster, h("div", {class: "card-words"}, this.title, this.facts), this.menu);
  }

  show(film, job) {
    this.#film = film;
    this.#job = job;
    this.element.dataset.movie = film.id;
    this.element.dataset.state = job ? "working" : film.state;
    this.title.textContent = film.title;
    this.title.title = film.title;
    this.poster.setAttribute("aria-label", film.title);
    this.poster.href = this.title.href = `/movies/${film.id}`;
    this.menu.setAttribute("aria-label", `More about ${film.title}`);
    this.menu.hidden = !mayEdit();
    this.#picture(film);
    this.work.hidden = !job;
    if (job) {
      this.stage.textContent = job.state === "running" ? `${percent(job.fraction)} · ${jobWords(job)}` : jobWords(job);
      setProgress(this.bar, job.fraction);
    }
    this.facts.classList.toggle("bad", film.state === "failed" && !job);
    this.facts.textContent = factsOf(film, job);
    this.facts.title = film.state === "failed" ? film.problem : "";
  }

  #picture(film) {
    const source = film.picture ? `${film.picture}?${film.ready_at ?? ""}` : "";
    if (source === (this.picture.getAttribute("src") ?? "")) return;
    this.picture.hidden = !source;
    if (source) this.picture.src = source;
  }

  #entries() {
    const film = this.#film, job = this.#job, run = (action) => () => attempt(async () => { await action(); await jobs.look(); this.changed(film.id); });
    const entries = [{words: "Title, year, genres …", run: () => editFacts(film, this.changed)}];
    if (job) entries.push({words: "Stop the analysis", run: run(() => post(`/api/jobs/${job.id}/cancel`))});
    else if (MENDABLE.includes(film.state) && film.job) entries.push({words: "Try again", run: run(() => post(`/api/jobs/${film.job.id}/retry`))});
    else entries.push({words: "Analyse again", run: run(() => post(`/api/movies/${film.id}/analyse`))});
    if (mayDelete()) entries.push({words: "Delete …", danger: true, run: () => deleteFilm(film, this.changed)});
    return entries;
  }
}

function factsOf(film, job) {
  const length = film.duration_s ? clock(film.duration_s) : "";
  if (!job && film.state === "failed") return film.problem || "It could not be analysed.";
  if (!job && film.state === "cancelled") return [film.year, length, "stopped"].filter(Boolean).join(" · ");
  return [film.year, length, film.candidates ? many(film.candidates, "candidate") : film.state === "ready" ? "no candidates" : ""].filter(Boolean).join(" · ");
}

// A file that is on its way, or that could not be taken.
export function fileCard(upload) {
  const bar = progressBar(0, upload.file.name), words = h("span", {class: "small num"}), problem = h("p", {class: "small bad wrap"});
  const again = button("Try again", () => uploads.again(upload)), away = button("", () => uploads.cancel(upload), {kind: "plain card-menu", symbol: "close", title: `Cancel ${upload.file.name}`});
  const element = h("li", {class: "card", dataset: {state: "uploading"}}, h("div", {class: "poster"}, h("span", {class: "poster-work"}, words, bar)),
    h("div", {class: "card-words"}, h("span", {class: "card-title", title: upload.file.name}, upload.file.name), h("p", {class: "small muted num"}, bytes(upload.file.size)), problem, again), away);
  const show = () => {
    const failed = upload.state === "failed";
    element.dataset.state = failed ? "failed" : "uploading";
    words.textContent = failed ? "not taken" : `${percent(upload.fraction)} · ${upload.words}`;
    setProgress(bar, upload.fraction);
    problem.textContent = upload.problem;
    problem.title = upload.problem;
    problem.hidden = !failed;
    again.hidden = !failed || upload.refused;
    bar.hidden = failed;
  };
  return {element, show};
}

export function editFacts(film, changed) {
  const field = (label, input) => h("label", {class: "field stacked"}, label, input);
  openDialog({
    title: film.title, confirm: "Save",
    body: [
      field("Title", h("input", {class: "input", name: "title", required: true, maxLength: 200, value: film.title})),
      field("Year", h("input", {class: "input short", name: "year", type: "number", min: 1870, max: 2200, value: film.year ?? ""})),
      field("Genres, separated by commas", h("input", {class: "input", name: "genres", value: film.genres.join(", ")})),
      field("Plot", h("textarea", {class: "input", name: "plot", rows: 3, value: film.plot})),
      field("Rights", h("textarea", {class: "input", name: "rights_note", rows: 2, value: film.rights_note})),
    ],
    ask: async (form) => {
      const genres = form.get("genres").split(",").map((name) => name.trim()).filter(Boolean), year = form.get("year");
      await api("PATCH", `/api/movies/${film.id}`, {title: form.get("title").trim(), year: year ? Number(year) : null, genres, plot: form.get("plot"), rights_note: form.get("rights_note")});
      changed(film.id);
    },
  });
}

export function deleteFilm(film, changed) {
  const made = [film.shots && many(film.shots, "shot"), film.candidates && many(film.candidates, "candidate")].filter(Boolean).join(" and ");
  const fate = film.source === "upload" ? "The server keeps its copy of the film unless you say otherwise." : `The film itself, ${film.file}, is not touched.`;
  const body = [h("p", {class: "wrap"}, `It leaves the library with ${made ? `its ${made}, ` : ""}its pictures and its vectors. Clips that people made stay on record, with its title. ${fate}`)];
  if (film.source === "upload") {
    body.push(h("label", {class: "check"}, h("input", {type: "checkbox", name: "upload"}), `Delete the server's copy too (${bytes(film.size_bytes)}). It cannot be brought back.`));
  }
  openDialog({
    title: `Delete “${film.title}”?`, body, confirm: "Delete", danger: true,
    ask: async (form) => {
      await api("DELETE", `/api/movies/${film.id}${form.get("upload") ? "?upload=true" : ""}`);
      toast(`“${film.title}” is deleted.`);
      changed(film.id);
    },
  });
}
