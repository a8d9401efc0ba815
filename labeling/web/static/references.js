// Trailers, promos and edits of a film: what each shows of it. They come in by drop or choice; intervals are withdrawn one by one.

import {api, getAll, post, withQuery} from "./api.js";
import {button, h, openDialog} from "./dom.js";
import {jobs} from "./jobs.js";
import {attempt, toast} from "./toasts.js";
import {filesOf} from "./uploads.js";
import {clock, jobWords, many, percent} from "./words.js";

const KINDS = "video/*,.mkv,.mxf,.mts,.edl,.xml,.fcpxml,.otio";
const ENDED = {failed: "bad", cancelled: "muted", outdated: "bad"};

// Events: "play" interval; "count" how many references there are.
class References extends HTMLElement {
  #stop = new AbortController();
  #open = new Set();
  #list = [];
  #intervals = new Map();
  #called = h("input", {class: "input", maxLength: 200, "aria-label": "What the edit calls the film", placeholder: "its name there, or its reel"});

  connectedCallback() {
    this.className = "references";
    const {signal} = this.#stop;
    jobs.addEventListener("change", () => this.#progress(), {signal});
    this.addEventListener("dragover", (event) => this.mayEdit && event.preventDefault());
    this.addEventListener("drop", (event) => this.#dropped(event));
  }

  disconnectedCallback() {
    this.#stop.abort();
  }

  async show(movie, {mayEdit}) {
    Object.assign(this, {movie, mayEdit});
    await this.load();
  }

  async load() {
    const found = await attempt(() => getAll(withQuery("/api/references", {movie: this.movie})));
    if (!found || this.#stop.signal.aborted) return;
    this.#list = found;
    await Promise.all(found.filter((each) => this.#open.has(each.id)).map((each) => this.#read(each)));
    this.dispatchEvent(new CustomEvent("count", {detail: found.length}));
    this.#draw();
  }

  async #read(reference) {
    const found = await attempt(() => getAll(`/api/references/${reference.id}/intervals`));
    if (found) this.#intervals.set(reference.id, found);
  }

  #draw() {
    const none = h("p", {class: "muted"}, "No trailer and no edit of this film yet. What one shows of the film becomes labels, without a click.");
    const rows = h("ul", {"aria-label": "References"}, this.#list.map((each) => this.#row(each)));
    this.replaceChildren(...[this.mayEdit ? this.#adding() : null, this.#list.length ? rows : none].filter(Boolean));
  }

  #adding() {
    const field = h("input", {type: "file", multiple: true, accept: KINDS, hidden: true, "aria-label": "Trailers and edits to add", onchange: () => { this.#send([...field.files]); field.value = ""; }});
    return h("div", {class: "reference-add"}, button("Add a trailer or an edit …", () => field.click()), h("span", {class: "small muted"}, "or drop it here"), field,
      h("details", {class: "small"}, h("summary", {class: "muted"}, "An edit that calls the film otherwise"), this.#called));
  }

  #row(reference) {
    const open = this.#open.has(reference.id), ready = reference.state === "ready";
    const kept = reference.intervals - reference.withdrawn;
    const words = ready ? `${many(kept, "interval")}${reference.withdrawn ? `, ${reference.withdrawn} withdrawn` : ""}` : reference.problem || this.#words(reference);
    const opens = {type: "button", "aria-expanded": String(open), onclick: () => this.#toggle(reference)};
    const shows = ready && reference.intervals > 0;
    const main = h(shows ? "button" : "div", {class: "reference-main", ...(shows ? opens : {})},
      h("span", {class: "reference-name"}, reference.name), h("span", {class: `reference-state small wrap ${ENDED[reference.state] ?? "muted"}`, dataset: {job: reference.job?.id ?? ""}}, words));
    const away = this.mayEdit ? button("", () => this.#remove(reference), {kind: "plain", symbol: "close", title: `Remove ${reference.name}`}) : null;
    const intervals = open && ready ? h("ul", {class: "intervals", "aria-label": `What ${reference.name} shows`}, (this.#intervals.get(reference.id) ?? []).map((each) => this.#interval(reference, each))) : null;
    return h("li", {class: "reference", dataset: {state: reference.state}}, h("div", {class: "reference-row"}, main, away), intervals);
  }

  #interval(reference, interval) {
    const span = `${clock(interval.start_s)} – ${clock(interval.end_s)}`, gone = interval.withdrawn;
    const sure = reference.kind === "edit" ? "" : `${percent(interval.confidence)} alike`;
    const main = h("button", {type: "button", class: "reference-main num", title: "Play this interval", onclick: () => this.dispatchEvent(new CustomEvent("play", {detail: interval}))},
      h("span", {class: gone ? "withdrawn" : ""}, span), h("span", {class: "small muted"}, gone ? `withdrawn by ${interval.withdrawn_by}` : sure));
    const change = this.mayEdit ? button(gone ? "Restore" : "Withdraw", () => this.#change(reference, interval), {kind: "plain", title: `${gone ? "Restore" : "Withdraw"} ${span}`}) : null;
    return h("li", {class: "reference-row"}, main, change);
  }

  async #toggle(reference) {
    if (this.#open.delete(reference.id)) return this.#draw();
    this.#open.add(reference.id);
    await this.#read(reference);
    return this.#draw();
  }

  async #change(reference, interval) {
    const done = await attempt(() => post(`/api/references/${reference.id}/intervals/${interval.id}/${interval.withdrawn ? "restore" : "withdraw"}`));
    if (done) await this.load();
  }

  #remove(reference) {
    openDialog({title: `Remove ${reference.name}?`, confirm: "Remove", danger: true, body: [h("p", {}, "What it labels goes with it.")],
      ask: async () => { await api("DELETE", `/api/references/${reference.id}`); await this.load(); }});
  }

  async #dropped(event) {
    if (!this.mayEdit || !event.dataTransfer.types.includes("Files")) return;
    event.preventDefault();
    event.stopPropagation();
    await this.#send(await filesOf(event.dataTransfer));
  }

  async #send(files) {
    for (const file of files) {
      const form = new FormData();
      form.append("movie", this.movie);
      form.append("film_called", this.#called.value.trim());
      form.append("file", file, file.name);
      const added = await attempt(() => post("/api/references", form));
      if (added?.known && !added.job) toast(`${file.name} is here already.`);
    }
    this.#called.value = "";
    await Promise.all([this.load(), jobs.look()]);
  }

  #progress() {
    for (const said of this.querySelectorAll(".reference-state")) {
      const job = jobs.list.find((each) => each.id === said.dataset.job);
      if (job) said.textContent = `${percent(job.fraction)} · ${jobWords(job)}`;
    }
    // A short job may have ended before anybody saw it run.
    const waited = this.#list.filter((each) => ["waiting", "working"].includes(each.state));
    if (waited.some((each) => !jobs.list.some((job) => job.id === each.job?.id))) this.load();
  }

  #words(reference) {
    return reference.job ? `${percent(reference.job.fraction)} · ${jobWords(reference.job)}` : "waiting";
  }
}

customElements.define("selects-references", References);
