// The open jobs of a project: one poll for the whole page, quick while something runs, rare while nothing does.

import {get, getAll, withQuery} from "./api.js";
import {boot} from "./boot.js";

const BUSY_MS = 1000;
const IDLE_MS = 5000;
const OPEN = ["running", "queued", "cancelling"];

// "change": the list has changed. "ended": detail is a job that is open no more.
class Jobs extends EventTarget {
  list = [];
  #timer = null;
  #round = 0;

  start() {
    document.addEventListener("visibilitychange", () => !document.hidden && this.look());
    this.look();
  }

  async look() {
    clearTimeout(this.#timer);
    const round = ++this.#round, project = boot.project;
    try {
      if (project && !document.hidden) await this.#read(project);
    } catch {
      // A server that starts again is asked again; what the person does says what is wrong.
    }
    if (round === this.#round) this.#timer = setTimeout(() => this.look(), this.list.length ? BUSY_MS : IDLE_MS);
  }

  // The analysis of a film.
  of(movieId) {
    return this.list.find((job) => job.movie_id === movieId && job.kind === "ingest") ?? null;
  }

  async #read(project) {
    const found = await getAll(withQuery("/api/jobs", {project, state: OPEN}));
    if (project !== boot.project) return;
    const open = new Set(found.map((job) => job.id)), gone = this.list.filter((job) => !open.has(job.id));
    this.list = found.sort((one, other) => OPEN.indexOf(one.state) - OPEN.indexOf(other.state) || (one.created_at < other.created_at ? -1 : 1));
    this.dispatchEvent(new Event("change"));
    for (const job of gone) {
      if (job.project_id !== project) continue;
      const ended = await get(`/api/jobs/${job.id}`).catch(() => job);
      this.dispatchEvent(new CustomEvent("ended", {detail: ended}));
    }
  }
}

export const jobs = new Jobs();
