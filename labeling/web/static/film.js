// One film: player, clips, timeline, ranking; in and out points make a clip of one's own.

import "./alike.js";
import {api, get, getAll, post, withQuery} from "./api.js";
import {boot, chooseProject, mayEdit} from "./boot.js";
import {deleteFilm, editFacts} from "./card.js";
import "./clips.js";
import {button, h, openDialog, openMenu, progressBar, setProgress} from "./dom.js";
import {FilmTime} from "./film_time.js";
import {jobs} from "./jobs.js";
import {filmKeys, KEYS} from "./keys.js";
import "./lines.js";
import {offerLists} from "./list_add.js";
import {Marks} from "./marks.js";
import {missing} from "./missing.js";
import "./player.js";
import "./ranking.js";
import "./references.js";
import "./timeline.js";
import {attempt, tell, toast} from "./toasts.js";
import {bytes, clock, jobWords, many, percent, rateOf} from "./words.js";

const LISTED = 20;

class Film extends HTMLElement {
  #stop = new AbortController();
  #asking = null;
  #stored = [];
  #ranked = null;
  #bars = [];
  #chosen = null;

  async connectedCallback() {
    this.id_ = Number(this.dataset.movie);
    this.className = "page film";
    document.title = "Film · Selects";
    const {signal} = this.#stop;
    jobs.addEventListener("change", () => this.#progress(), {signal});
    jobs.addEventListener("ended", (event) => event.detail.kind === "ingest" && event.detail.movie_id === this.id_ && this.load(), {signal});
    filmKeys(this, signal);
    await this.load();
  }

  disconnectedCallback() {
    this.#stop.abort();
    this.#asking?.abort();
  }

  async load() {
    try {
      await this.#load();
    } catch (error) {
      if (!this.#stop.signal.aborted) this.#unloaded(error);
    }
  }

  async #load() {
    const movie = await get(`/api/movies/${this.id_}`);
    if (this.#stop.signal.aborted) return undefined;
    if (movie.project_id !== boot.project) return toProject(movie.project_id);
    this.movie = movie;
    document.title = `${movie.title} · Selects`;
    if (movie.state !== "ready" || !movie.shots) return this.#unready();
    if (!this.film) this.replaceChildren(this.#head(), h("p", {class: "muted", role: "status"}, "Loading its shots and clips …"));
    const part = (name) => getAll(`/api/movies/${this.id_}/${name}`);
    const [shots, scenes, lines, candidates] = await Promise.all(["shots", "scenes", "lines", "candidates"].map(part));
    if (this.#stop.signal.aborted) return undefined;
    this.film = {movie, shots, scenes, lines, curve: null, time: new FilmTime(movie, shots)};
    this.#stored = candidates.map(asBar);
    this.#build();
    return this.#rank({top_n: LISTED}, {keep: true});
  }

  // What is shown already stays, unless the film is gone.
  #unloaded(error) {
    const gone = error.status === 404;
    if (this.film && !gone) return tell(error);
    const parts = gone ? [h("h1", {}, "This film is not here."), h("p", {class: "muted wrap"}, error.message), h("a", {class: "button main", href: "/"}, "To the library")] : missing("This film could not be loaded.", error, () => this.load());
    return this.replaceChildren(h("section", {class: "empty"}, parts));
  }

  // A film that is in work, or could not be analysed.
  #unready() {
    const {movie} = this, failed = ["failed", "cancelled"].includes(movie.state);
    this.player = this.timeline = null;
    this.work = h("p", {class: "num", role: "status"});
    this.bar = progressBar(0, "Analysis");
    const parts = failed ? [h("p", {class: movie.state === "failed" ? "bad wrap" : ""}, movie.problem || "The analysis was stopped."),
      mayEdit() && movie.job ? button("Try again", () => attempt(async () => { await post(`/api/jobs/${movie.job.id}/retry`); await jobs.look(); await this.load(); }), {kind: "main"}) : null] : [this.work, this.bar,
      h("p", {class: "muted"}, "Clips, scenes and the timeline appear here as soon as they are found; you can go on with something else.")];
    this.replaceChildren(this.#head(), h("section", {class: "film-work"}, movie.picture ? h("img", {src: movie.picture, alt: ""}) : null, ...parts.filter(Boolean)));
    this.#progress();
  }

  #progress() {
    if (!this.work?.isConnected) return;
    const job = jobs.of(this.id_) ?? this.movie.job;
    if (!job) return;
    this.work.textContent = `${percent(job.fraction)} · ${jobWords(job)}`;
    setProgress(this.bar, job.fraction);
  }

  #build() {
    const {movie, film} = this, may = {mayEdit: mayEdit()};
    this.player = h("selects-player");
    this.clips = h("selects-clips");
    this.lines = h("selects-lines", {hidden: true});
    this.references = h("selects-references", {hidden: true});
    this.timeline = h("selects-timeline");
    this.ranking = h("selects-ranking");
    this.alikeFilms = h("selects-alike");
    this.marks = new Marks(film.time, {changed: (marks) => { this.timeline.marks = marks; }, make: (clip) => this.#make(clip)});
    this.replaceChildren(this.player, h("div", {class: "film-side"}, this.#head(), this.#tabs(), this.clips, this.lines, this.references), this.timeline, this.ranking, this.alikeFilms);
    if (may.mayEdit) this.timeline.tools.prepend(this.marks.element);
    this.player.open(movie, film.time);
    this.timeline.open(film, may);
    this.lines.show(film.lines);
    this.references.show(movie.id, may);
    this.alikeFilms.show(movie.id);
    this.#listen();
    this.#draw();
    const asked = Number(new URLSearchParams(location.search).get("t"));
    if (asked > 0) this.player.seek(asked);
  }

  #head() {
    const {movie} = this, more = button("", () => openMenu(more, this.#entries()), {kind: "plain", symbol: "more", title: "More about this film", "aria-haspopup": "menu", hidden: !mayEdit()});
    const rate = movie.rate ? `${Number(rateOf(movie.rate).toFixed(3))} frames/s` : "";
    const facts = [movie.year, movie.duration_s ? clock(movie.duration_s) : "", movie.genres.join(", "), movie.width ? `${movie.width} × ${movie.height}` : "", rate,
      movie.shots ? many(movie.shots, "shot") : "", movie.scenes ? many(movie.scenes, "scene") : "", movie.has_audio || !movie.rate ? "" : "no sound", bytes(movie.size_bytes)];
    const warnings = movie.warnings.length ? h("details", {class: "warnings"}, h("summary", {}, many(movie.warnings.length, "remark")), h("ul", {}, movie.warnings.map((each) => h("li", {class: "wrap"}, each)))) : null;
    const rights = movie.rights_note ? h("p", {class: "small wrap"}, `Rights: ${movie.rights_note}`) : null;
    return h("header", {class: "film-head"}, h("div", {class: "film-title"}, h("h1", {class: "wrap", title: movie.title}, movie.title), more), h("p", {class: "small muted num"}, facts.filter(Boolean).join(" · ")), rights, warnings);
  }

  #entries() {
    const gone = async () => { await get(`/api/movies/${this.id_}`).then(() => this.load(), () => document.querySelector("selects-app").go("/")); };
    const again = () => attempt(async () => { await post(`/api/movies/${this.id_}/analyse`); toast("The film is analysed again; you can go on meanwhile."); await jobs.look(); });
    const entries = [{words: "Title, year, genres …", run: () => editFacts(this.movie, () => this.#renew())}, {words: "Analyse again", run: again}];
    return [...entries, {words: "Keys", run: () => this.showKeys()}, {words: "Delete …", danger: true, run: () => deleteFilm(this.movie, gone)}];
  }

  async #renew() {
    this.movie = await get(`/api/movies/${this.id_}`);
    this.querySelector(".film-head").replaceWith(this.#head());
    this.alikeFilms?.show(this.movie.id);
  }

  #tabs() {
    const tab = (words, view, on) => h("button", {type: "button", role: "tab", class: "tab", "aria-selected": String(on), onclick: (event) => {
      for (const other of event.target.parentElement.children) other.setAttribute("aria-selected", String(other === event.target));
      for (const each of [this.clips, this.lines, this.references]) each.hidden = each !== view;
    }}, words);
    const references = tab("References", this.references, false);
    this.references.addEventListener("count", ({detail}) => { references.textContent = `References (${detail})`; });
    return h("div", {class: "tabs", role: "tablist"}, tab("Clips", this.clips, true), tab(`Dialogue (${this.film.lines.length})`, this.lines, false), references);
  }

  #listen() {
    const {player, timeline, clips, lines, ranking} = this;
    player.addEventListener("time", ({detail}) => { timeline.second = detail; lines.second = detail; this.marks.second = detail; });
    timeline.addEventListener("seek", ({detail}) => player.seek(detail.second, {play: detail.play || player.playing}));
    this.references.addEventListener("play", ({detail}) => player.seek(detail.start_s, {play: true, until: detail.end_s}));
    lines.addEventListener("seek", ({detail}) => player.seek(detail, {play: true}));
    for (const each of [timeline, clips]) {
      each.addEventListener("playbar", ({detail}) => this.play(detail));
      each.addEventListener("choose", ({detail}) => this.#choose(detail, each !== clips));
    }
    timeline.addEventListener("trim", ({detail}) => this.#trim(detail));
    timeline.addEventListener("like", ({detail}) => this.alike(detail));
    clips.addEventListener("like", ({detail}) => search({movie: this.id_, start_frame: detail.start_frame, end_frame: detail.end_frame}));
    clips.addEventListener("list", ({detail: {bar, at}}) => offerLists(at, bar.verdict === "approve" && bar.id ? {candidate: bar.id} : {movie: this.id_, start_frame: bar.start_frame, end_frame: bar.end_frame}));
    clips.addEventListener("remove", ({detail}) => this.#remove(detail));
    ranking.addEventListener("rank", ({detail}) => this.#rank({...detail, top_n: LISTED}, {keep: detail === null}));
  }

  play(bar) {
    this.#choose(bar);
    this.player.seek(bar.start_s, {play: true, until: bar.end_s});
    this.player.say(bar.source !== "ranking" ? "own clip" : `clip ${bar.rank}`);
  }

  // More like a shot: the one given, else that under the playhead.
  alike(shot) {
    const {time} = this.film, one = shot ?? time.shots[time.shotAt(this.player.second)];
    search({movie: this.id_, shot: one.number});
  }

  #choose(bar, reveal = true) {
    this.#chosen = bar;
    this.timeline.choose(bar);
    this.clips.choose(bar, {reveal});
  }

  // Ranks by what is asked; `keep`: the ranking that is stored stays, only its curve is wanted.
  async #rank(asked, {keep}) {
    this.#asking?.abort();
    const asking = this.#asking = new AbortController();
    const scored = await attempt(() => post("/api/score", {...asked, movie: this.id_, curve: true}, {signal: asking.signal}));
    if (!scored || asking.signal.aborted || this.#stop.signal.aborted) return;
    this.#ranked = keep ? null : scored.clips.map((clip) => asBar({...clip, source: "ranking", note: ""}));
    this.timeline.curve = scored.curve;
    this.ranking.tell(scored);
    this.#draw(scored.notes.join(" "));
  }

  #draw(notes = "") {
    const own = this.#stored.filter((bar) => bar.source !== "ranking"), ranked = this.#ranked ?? this.#stored.filter((bar) => bar.source === "ranking").slice(0, LISTED);
    this.#bars = [...ranked, ...own];
    this.timeline.bars = this.#bars;
    this.clips.show(this.#bars, {mayEdit: mayEdit(), none: notes || "No stretch of this film fits these limits; allow shorter clips, or make one by hand with i and o."});
    this.#choose(this.#bars.find((bar) => bar.key === this.#chosen?.key) ?? null, false);
  }

  async #candidates() {
    this.#stored = (await getAll(`/api/movies/${this.id_}/candidates`)).map(asBar);
    this.#draw();
  }

  async #make({start_frame, end_frame, note = ""}) {
    const made = await attempt(() => post(`/api/movies/${this.id_}/candidates`, {start_frame, end_frame, note}));
    if (!made) return null;
    await this.#candidates();
    this.#choose(this.#bars.find((bar) => bar.id === made.id) ?? null);
    toast(`A clip of your own, ${clock(made.start_s)} – ${clock(made.end_s)}.`, {actions: [{words: "Undo", run: () => this.#remove({id: made.id})}]});
    return made;
  }

  // The ranking's clips stay what they are: trimming one makes a clip of one's own.
  async #trim({bar, start, end}) {
    const note = bar.source !== "ranking" ? bar.note : `clip ${bar.rank}, trimmed`;
    const made = await this.#make({start_frame: start.frame, end_frame: end.frame, note});
    if (made && bar.source === "manual") await this.#remove(bar);
  }

  showKeys() {
    const rows = KEYS.flatMap(([keys, words]) => [h("dt", {}, keys), h("dd", {}, words)]);
    const dialog = openDialog({title: "Keys", confirm: "Close", ask: () => undefined, body: [h("dl", {class: "keys"}, rows)]});
    dialog.querySelector(".actions button").remove();
  }

  async #remove(bar) {
    await attempt(() => api("DELETE", `/api/candidates/${bar.id}`));
    await attempt(() => this.#candidates());
  }
}

customElements.define("selects-film", Film);

function asBar(clip) {
  return {...clip, key: `${clip.start_frame}-${clip.end_frame}`};
}

// A link may lead into another of the person's projects: the shell is to say so.
function toProject(id) {
  chooseProject(id);
  location.reload();
}

function search(example) {
  document.querySelector("selects-app").go(withQuery("/search", example));
}
