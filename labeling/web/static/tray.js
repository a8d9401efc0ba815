// What is being done, at the bottom right: uploads and jobs with bar, speed, time left, cancel. Opens on click.

import {post} from "./api.js";
import {mayEdit} from "./boot.js";
import {button, h, progressBar, setProgress} from "./dom.js";
import {jobs} from "./jobs.js";
import {attempt} from "./toasts.js";
import {uploads} from "./uploads.js";
import {jobWords, many, percent} from "./words.js";

class Tray extends HTMLElement {
  #rows = new Map();

  connectedCallback() {
    if (this.panel) return;
    this.items = h("ul");
    this.panel = h("section", {class: "tray-panel", hidden: true, "aria-label": "Jobs", id: "tray-panel"}, this.items);
    this.words = h("span", {class: "num"});
    this.bar = progressBar(0, "All jobs");
    this.opener = button("", () => this.#toggle(), {kind: "tray-button", "aria-expanded": "false", "aria-controls": "tray-panel"});
    this.opener.classList.remove("square");
    this.opener.append(this.words, this.bar);
    this.append(this.panel, this.opener);
    this.addEventListener("keydown", (event) => event.key === "Escape" && !this.panel.hidden && this.#toggle());
    jobs.addEventListener("change", () => this.#draw());
    uploads.addEventListener("change", () => this.#draw());
    this.#draw();
  }

  #toggle() {
    this.panel.hidden = !this.panel.hidden;
    this.opener.setAttribute("aria-expanded", String(!this.panel.hidden));
    if (this.panel.hidden) this.opener.focus();
  }

  #draw() {
    const shown = [...uploads.open.map(asUpload), ...jobs.list.map(asJob)];
    this.hidden = shown.length === 0;
    if (this.hidden) this.panel.hidden = true;
    this.words.textContent = many(shown.length, "job");
    setProgress(this.bar, shown.reduce((sum, each) => sum + each.fraction, 0) / (shown.length || 1));
    const now = new Set(shown.map((each) => each.key));
    for (const [key, row] of this.#rows) {
      if (!now.has(key)) row.remove(), this.#rows.delete(key);
    }
    for (const each of shown) this.#row(each);
  }

  #row(each) {
    let row = this.#rows.get(each.key);
    if (!row) {
      row = h("li", {class: "tray-job"}, h("span", {class: "name", title: each.name}, each.name), progressBar(0, each.name),
        h("span", {class: "small muted num"}), each.cancel && button("Cancel", () => attempt(each.cancel)));
      this.#rows.set(each.key, row);
    }
    this.items.append(row);
    setProgress(row.children[1], each.fraction);
    row.children[2].textContent = `${percent(each.fraction)} · ${each.words}`;
  }
}

function asJob(job) {
  const stop = async () => { await post(`/api/jobs/${job.id}/cancel`); await jobs.look(); };
  return {
    key: job.id, name: job.movie_title || (job.kind === "render" ? "Clips of a list" : "A film"), fraction: job.fraction, words: jobWords(job),
    cancel: mayEdit() && job.state !== "cancelling" ? stop : null,
  };
}

function asUpload(upload) {
  return {key: `upload-${upload.id}`, name: upload.file.name, fraction: upload.fraction, words: upload.words, cancel: () => uploads.cancel(upload)};
}

customElements.define("selects-tray", Tray);
