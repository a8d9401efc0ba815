// The clips that a curator holds: the one that is asked about, those that come next, and what stands beside each.

import {get, withQuery} from "./api.js";
import {outbox} from "./outbox.js";

const AHEAD = 3, HELD = 8, MOST = 50;
const KEPT_CONTEXTS = 16;
const RENEW_MS = 240_000;
// A little less than the server lends them: who slept longer asks what is still theirs.
const LENT_MS = 540_000;

// Events: "change": `current` is another one or there are more; "nothing": the server has none; "trouble": detail says why.
export class Hand extends EventTarget {
  #items = [];
  #back = new Set();
  #contexts = new Map();
  #asking = null;
  #lent = 0;
  #timer = null;

  constructor(project) {
    super();
    this.project = project;
  }

  start() {
    clearInterval(this.#timer);
    this.#timer = setInterval(() => !document.hidden && this.fill(), RENEW_MS);
    return this.fill();
  }

  stop() {
    clearInterval(this.#timer);
  }

  get asking() {
    return this.#asking !== null;
  }

  get current() {
    return this.#items[0] ?? null;
  }

  get next() {
    return this.#items.slice(1, 1 + AHEAD);
  }

  // The current one is answered.
  advance() {
    this.#back.delete(this.#items.shift()?.candidate.id);
  }

  // What was answered is asked again.
  putBack(item) {
    this.#back.add(item.candidate.id);
    this.#items = [item, ...this.#items.filter((each) => each.candidate.id !== item.candidate.id)];
  }

  // Loads what stands beside the clips that come next, and more clips where few are left.
  prepare() {
    for (const item of this.#items.slice(0, 1 + AHEAD)) this.context(item);
    if (this.#items.length <= 1 + AHEAD) this.fill();
  }

  // Shots, lines and the clips most like it; null where that cannot be had now.
  context(item) {
    const {id} = item.candidate;
    if (!this.#contexts.has(id)) {
      const found = get(`/api/candidates/${id}/context`).catch(() => this.#contexts.delete(id) && null);
      this.#contexts.set(id, found);
      for (const old of this.#contexts.keys()) if (this.#contexts.size > KEPT_CONTEXTS) this.#contexts.delete(old);
    }
    return this.#contexts.get(id);
  }

  // Asks for more, and keeps what is held; one question at a time.
  async fill() {
    if (this.#asking) return this.#asking;
    this.#asking = this.#ask().then(() => null, (error) => error);
    const problem = await this.#asking;
    this.#asking = null;
    if (problem) this.dispatchEvent(new CustomEvent("trouble", {detail: problem}));
    else this.dispatchEvent(new Event(this.current ? "change" : "nothing"));
    return undefined;
  }

  async #ask() {
    const began = Date.now(), k = this.#wanted();
    const answer = await get(withQuery("/api/queue/next", {project: this.project, k}));
    const open = answer.items.filter((item) => !outbox.isDecided(item.candidate.id, began));
    this.#keepOnly(open, began - this.#lent > LENT_MS);
    this.#lent = Date.now();
    const held = new Set(this.#items.map((item) => item.candidate.id));
    this.#items.push(...open.filter((item) => !held.has(item.candidate.id)));
    // Who judged all that was on its way is to be asked for more.
    if (!this.current && this.#wanted() > k) await this.#ask();
  }

  // The server counts what is decided here and not sent yet.
  #wanted() {
    return Math.min(MOST, Math.max(HELD, this.#items.length) + outbox.waiting);
  }

  // What was judged in another window, or is gone with its film, is not judged here. What was taken back here stays,
  // unless it was lent so long ago that it may be with somebody else by now.
  #keepOnly(open, slept) {
    const mine = new Set(open.map((item) => item.candidate.id));
    this.#items = this.#items.filter(({candidate: {id}}) => mine.has(id) || (!slept && this.#back.has(id)));
  }
}
