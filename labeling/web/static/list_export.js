// The way out: what each format says of the list, downloads, rendering with progress, and what was exported before.

import {failure, get, post, withQuery} from "./api.js";
import {mayEdit} from "./boot.js";
import {button, h, openDialog, progressBar, setProgress} from "./dom.js";
import {jobs} from "./jobs.js";
import {attempt, toast} from "./toasts.js";
import {bytes, grouped, jobWords, many, percent} from "./words.js";

const SHOWN = 6;
const EXPORTS = 20;
const PAST_MS = 2000;
const SHAPES = [["original", "As the film is"], ["reels", "9:16, follows faces or what moves"], ["square", "1:1, follows faces or what moves"], ["wide", "16:9, with bars where needed"]];
const LINES = [["none", "None"], ["burnt", "In the picture"], ["sidecar", "In files beside it (SRT, WebVTT)"]];
const MOMENT = new Intl.DateTimeFormat("en", {dateStyle: "medium", timeStyle: "short"});

export class ListExport {
  #version = null;
  #round = 0;

  // `model` is the list; `find(entry id)` shows a clip.
  constructor({model, find}) {
    Object.assign(this, {model, find});
    this.formats = h("ul", {class: "list-formats", "aria-label": "Formats"});
    this.all = h("div", {class: "list-all"});
    this.job = h("div", {class: "list-job", hidden: true});
    this.bar = progressBar(0, "Rendering");
    this.jobSaid = h("p", {class: "small muted num"});
    this.job.append(this.bar, this.jobSaid, button("Cancel", () => this.#cancel(), {hidden: !mayEdit()}));
    this.before = h("details", {class: "list-before", hidden: true}, h("summary", {}, "Exported before"), h("ul", {}));
    this.before.addEventListener("toggle", () => this.before.open && this.#past());
    this.element = h("section", {class: "list-export", "aria-label": "Export"}, h("h2", {}, "Export"), this.all, this.formats, this.job, this.before);
  }

  // Asks anew when the list is another by now, or `always`.
  async show({always = false} = {}) {
    const {facts} = this.model, stamp = `${facts.version} ${facts.blocked} ${facts.job?.state}`;
    this.#showJob(facts.job);
    if (!always && stamp === this.#version) return;
    this.#version = stamp;
    const round = ++this.#round, found = await get(`${this.model.path}/preflight`).catch((error) => ({error}));
    if (round !== this.#round) return;
    if (found.error) return void this.formats.replaceChildren(h("li", {class: "bad"}, found.error.message));
    // What all of them say is said once.
    const [first, ...rest] = found.formats, all = first.concerns.filter((each) => rest.every(({concerns}) => concerns.some((other) => same(each, other))));
    const stopped = all.some(({stops}) => stops);
    this.all.replaceChildren(...(all.length ? [h("p", {class: "small bad", hidden: !stopped}, "Nothing leaves while this is so:"), this.#concerns(all)] : []));
    this.formats.replaceChildren(...found.formats.map((format) => this.#format({...format, concerns: format.concerns.filter((each) => !all.some((other) => same(each, other)))}, stopped)));
    this.before.hidden = false;
    if (this.before.open) this.#past();
  }

  #format(format, closed) {
    const {name, title, suffix, opens_in: opens, ready, concerns} = format, clips = name === "clips", own = concerns.some((each) => each.stops), stopped = own || closed;
    const address = withQuery(`${this.model.path}/export`, {format: name});
    const download = ready ? h("a", {class: "button", href: address, download: "", onclick: (event) => this.#download(event, format)}, "Download") : null;
    const render = clips && mayEdit() ? button(ready ? "Render anew …" : "Render …", () => this.#askRender(), {disabled: stopped || !this.model.entries.length}) : null;
    const state = own ? h("p", {class: "small bad"}, "There is no file while this is so:") : null;
    return h("li", {class: `list-format ${stopped ? "stopped" : ""}`, dataset: {format: name}},
      h("div", {class: "list-format-head"}, h("span", {class: "list-format-name"}, title, h("span", {class: "muted small"}, ` ${suffix}`)), h("div", {class: "bar"}, download, render)),
      opens ? h("p", {class: "small muted"}, opens) : null, state, this.#concerns(concerns));
  }

  // Of many of a kind the first few; each leads to its clip.
  #concerns(concerns) {
    if (!concerns.length) return null;
    const places = new Map(this.model.entries.map((each, at) => [each.id, at + 1]));
    const to = (entry) => button(String(places.get(entry)), () => this.find(entry), {kind: "plain list-concern-at num", title: "Show this clip", "aria-label": `Show clip ${places.get(entry)}`});
    const rows = concerns.map(({words, stops, entry}) => h("li", {class: stops ? "bad" : "muted"}, places.has(entry) ? to(entry) : null, h("span", {}, words)));
    const list = h("ul", {class: "small list-concerns"}, rows.slice(0, SHOWN));
    if (rows.length > SHOWN) list.append(h("li", {}, button(`and ${grouped(rows.length - SHOWN)} more`, () => list.replaceChildren(...rows), {kind: "plain"})));
    return list;
  }

  // What the server refuses is said here and not saved as a file. Rendered clips may be large: the browser has them by itself.
  async #download(event, format) {
    if (format.name === "clips") return setTimeout(() => this.before.open && this.#past(), PAST_MS);
    event.preventDefault();
    const link = event.currentTarget;
    return attempt(async () => {
      const answer = await fetch(link.href);
      if (!answer.ok) {
        this.show({always: true});
        throw failure(answer.status, await answer.json().catch(() => ({})));
      }
      const address = URL.createObjectURL(await answer.blob()), save = h("a", {href: address, download: nameIn(answer) ?? `list${format.suffix}`});
      save.click();
      setTimeout(() => URL.revokeObjectURL(address), PAST_MS);
      if (this.before.open) this.#past();
    });
  }

  #askRender() {
    const pick = (name, options) => h("select", {class: "input", name}, options.map(([value, words]) => h("option", {value}, words)));
    const field = (words, control) => h("label", {class: "field stacked"}, words, control);
    openDialog({
      title: "Render the clips", confirm: "Render",
      body: [field("Picture", pick("shape", SHAPES)), field("What is said", pick("subtitles", LINES)),
        field("Fade at both ends, seconds", h("input", {class: "input", name: "fade_s", type: "number", min: 0, max: 5, step: 0.1, value: 0})),
        field("Handles at both ends, frames", h("input", {class: "input", name: "handles", type: "number", min: 0, max: 1000, value: 0})),
        h("label", {class: "lists-film"}, h("input", {type: "checkbox", name: "loud"}), h("span", {}, "Loudness at −14 LUFS, as platforms play it")),
        h("p", {class: "small muted"}, `${many(this.model.entries.length, "clip")}, H.264 and AAC in MP4. What was rendered like this before is not rendered again.`)],
      ask: async (form) => {
        const job = await post(`${this.model.path}/render`, {shape: form.get("shape"), subtitles: form.get("subtitles"), fade_s: Number(form.get("fade_s")), handles: Number(form.get("handles")), loudness: form.has("loud") ? -14 : null});
        this.#showJob(job);
        jobs.look();
        if (job.state === "done") toast("All of it was rendered before."), this.show({always: true});
      },
    });
  }

  #showJob(job) {
    const open = job && ["queued", "running", "cancelling"].includes(job.state);
    this.job.hidden = !job || (!open && !job.problem);
    this.open = open ? job : null;
    if (!job) return;
    this.job.classList.toggle("failed", !open);
    this.bar.hidden = this.job.lastChild.hidden = !open;
    setProgress(this.bar, job.fraction);
    this.jobSaid.textContent = open ? `${percent(job.fraction)} · ${jobWords(job)}` : `Rendering ${job.state}: ${job.problem}`;
  }

  async #cancel() {
    if (this.open) await attempt(() => post(`/api/jobs/${this.open.id}/cancel`));
    jobs.look();
  }

  async #past() {
    const found = await attempt(() => get(withQuery(`${this.model.path}/exports`, {limit: EXPORTS})));
    if (!found) return;
    const rows = found.items.map((each) => h("li", {class: "small"}, h("a", {class: "link", href: `${this.model.path}/exports/${each.id}`, download: ""}, `${each.format}, ${many(each.clips, "clip")}, ${bytes(each.size_bytes)}`),
      h("span", {class: "muted num"}, ` ${MOMENT.format(new Date(each.made_at))}, ${each.made_by}${each.current ? "" : ", the list as it was then"}`)));
    this.before.lastChild.replaceChildren(...(rows.length ? rows : [h("li", {class: "small muted"}, "Nothing yet. What you download is kept with all that made it, and can be had again, byte for byte.")]));
  }
}

const same = (one, other) => one.words === other.words && one.entry === other.entry;

// The name that the server gave a file, in letters of any kind.
function nameIn(answer) {
  const said = answer.headers.get("Content-Disposition") ?? "", any = /filename\*=UTF-8''([^;]+)/i.exec(said);
  return any ? decodeURIComponent(any[1]) : /filename="([^"]+)"/.exec(said)?.[1];
}
