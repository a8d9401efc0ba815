// In and out of the clip that is shown: by shots, by frames, or where the player is.

import {getAll} from "./api.js";
import {button, h} from "./dom.js";
import {withEnds} from "./list_words.js";
import {moved} from "./trim.js";
import {clock} from "./words.js";

const SAVE_MS = 600;

export class ListTrim {
  #films = new Map();
  #entry = null;
  #window = null;
  #timer = null;

  constructor({player, save}) {
    Object.assign(this, {player, save});
    this.words = h("span", {class: "num list-trim-words"});
    const end = (which, name) => h("span", {class: "list-trim-end"}, h("span", {class: "muted"}, name),
      button("", () => this.step(which, -1), {kind: "plain", symbol: "left2", title: `${name} one shot earlier`}), button("", () => this.step(which, -1, true), {kind: "plain", symbol: "left", title: `${name} one frame earlier`}),
      h("output", {class: "num", "aria-label": `${name} point`}), button("", () => this.step(which, 1, true), {kind: "plain", symbol: "right", title: `${name} one frame later`}),
      button("", () => this.step(which, 1), {kind: "plain", symbol: "right2", title: `${name} one shot later`}));
    this.ends = {in: end("in", "In"), out: end("out", "Out")};
    this.back = button("As approved", () => this.#reset(), {kind: "plain", title: "Back to the ends of the approved clip"});
    this.element = h("div", {class: "list-trim", role: "group", "aria-label": "In and out of this clip", hidden: true}, this.ends.in, this.ends.out, this.words, this.back);
  }

  // The clip that is shown in the player.
  show(entry) {
    if (entry && this.#entry?.id === entry.id && this.#timer) return;
    this.#entry = entry;
    this.#window = entry && {start: entry.start_frame, end: entry.end_frame};
    this.element.hidden = !entry?.movie_id || !entry.rate;
    this.#tell();
  }

  async step(which, by, byFrame = false) {
    const entry = this.#entry;
    if (!entry?.movie_id) return;
    const film = await this.#film(entry);
    if (entry.id !== this.#entry?.id || !film) return;
    this.#set(moved(film, this.#window, which, by, {byFrame}), which);
  }

  #reset() {
    const {candidate_start_frame: start, candidate_end_frame: end} = this.#entry;
    this.#set({start, end}, "in");
  }

  #set(window, which) {
    if (window.start === this.#window.start && window.end === this.#window.end) return;
    this.#window = window;
    this.player.peek(which === "in" ? window.start : window.end - 1);
    this.#tell();
    clearTimeout(this.#timer);
    const {id} = this.#entry, saved = this.#window;
    this.#timer = setTimeout(() => { this.#timer = null; this.save(id, {start_frame: saved.start, end_frame: saved.end}); }, SAVE_MS);
  }

  // Shots of its film, read once.
  #film(entry) {
    if (!this.#films.has(entry.movie_id)) {
      const shots = getAll(`/api/movies/${entry.movie_id}/shots`).then((found) => (found.length ? {shots: found, movie: {frames: found.at(-1).end_frame}} : null)).catch(() => null);
      this.#films.set(entry.movie_id, shots);
    }
    return this.#films.get(entry.movie_id);
  }

  #tell() {
    const entry = this.#entry;
    if (!entry) return;
    const {start, end} = this.#window, trimmed = withEnds(entry, start, end);
    for (const [at, group] of [this.ends.in, this.ends.out].entries()) group.querySelector("output").textContent = trimmed.timecodes?.[at] ?? "";
    this.words.textContent = clock(trimmed.duration_s);
    const own = entry.candidate_start_frame;
    this.back.hidden = own === null || (own === start && entry.candidate_end_frame === end);
  }
}
