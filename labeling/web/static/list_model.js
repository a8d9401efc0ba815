// One list and its clips as the server has them; what a person does is shown at once, and put right where it is refused.

import {api, get, getAll, post, withQuery} from "./api.js";
import {withEnds} from "./list_words.js";

// "change": clips or facts are others. "refused": detail is the error.
export class ListModel extends EventTarget {
  facts = null;
  entries = [];
  #busy = Promise.resolve();
  #open = 0;
  #answers = [];

  constructor(id) {
    super();
    this.id = id;
    this.path = `/api/lists/${id}`;
  }

  async load() {
    const [facts, entries] = await Promise.all([get(this.path), getAll(`${this.path}/entries`)]);
    this.#put(facts, entries);
  }

  // Whether something of one's own is on its way.
  get busy() {
    return this.#open > 0;
  }

  // Whether others have changed it; nothing is asked while something of one's own is on its way.
  async look() {
    if (this.#open) return;
    const facts = await get(this.path);
    if (this.#open) return;
    if (facts.version !== this.facts.version || facts.blocked !== this.facts.blocked || facts.state !== this.facts.state) await this.load();
    else this.facts = facts;
  }

  entry(id) {
    return this.entries.find((each) => each.id === id) ?? null;
  }

  // Puts clips before another one, or at the end for null.
  move(ids, before) {
    const moved = ids.map((id) => this.entry(id)).filter(Boolean), rest = this.entries.filter((each) => !ids.includes(each.id));
    const at = before === null ? rest.length : rest.findIndex((each) => each.id === before);
    if (at < 0 || !moved.length) return Promise.resolve(false);
    const order = [...rest.slice(0, at), ...moved, ...rest.slice(at)];
    if (order.every((each, place) => each === this.entries[place])) return Promise.resolve(false);
    this.#show(order);
    return this.#send(() => post(`${this.path}/entries/move`, {entries: ids, before}));
  }

  change(id, facts) {
    const changed = (entry) => ({...(facts.start_frame === undefined ? entry : withEnds(entry, facts.start_frame, facts.end_frame)), ...facts});
    this.#show(this.entries.map((each) => (each.id === id ? changed(each) : each)));
    return this.#send(() => api("PATCH", `${this.path}/entries/${id}`, facts));
  }

  remove(ids) {
    this.#show(this.entries.filter((each) => !ids.includes(each.id)));
    return this.#send(() => api("DELETE", withQuery(`${this.path}/entries`, {entries: ids})));
  }

  add(entries, before = null) {
    return this.#send(() => post(`${this.path}/entries`, {entries, before}), {adds: true});
  }

  // Puts back what was taken out, as it was.
  async restore(entry, before) {
    const there = before !== null && this.entry(before) ? before : null;
    const added = await this.add([{candidate: entry.candidate_id, name: entry.named ? entry.name : "", note: entry.note, unapproved: Boolean(entry.admitted_by)}], there);
    const now = added?.entries[0];
    if (!now) return;
    const facts = {rights: entry.rights, rights_note: entry.rights_note, embargo_until: entry.embargo_until, ...(entry.trimmed ? {start_frame: entry.start_frame, end_frame: entry.end_frame} : {})};
    if (entry.rights || entry.embargo_until || entry.trimmed) await this.change(now.id, facts);
  }

  // What concerns the whole list; `act` gives the list.
  async set(act) {
    await this.took(await act());
  }

  // The list after a change of it that left its clips as they are; all anew where others have changed it, too.
  async took(facts) {
    if (facts?.version > this.facts.version + 1) await this.load();
    else this.#put(facts, this.entries);
  }

  approve() {
    return api("POST", `${this.path}/approve`, {}, {headers: {"If-Match": `"${this.facts.version}"`}});
  }

  // One after the other: what is asked later is about what the former left.
  #send(ask, {adds = false} = {}) {
    this.#open++;
    const sent = this.#busy.then(ask);
    this.#busy = sent.then((answer) => this.#settle({...answer, adds}), (error) => this.#refused(error));
    return sent.catch(() => null);
  }

  async #settle(answer = {}) {
    this.#open--;
    this.#answers.push(answer);
    if (this.#open) return;
    const answers = this.#answers.splice(0);
    if (!this.#take(answers)) await this.load().catch(() => undefined);
  }

  // What the server says of one's own changes, one after the other. False where that is not all there is to know: one was
  // refused, others have changed the list meanwhile, or clips came in beside other changes.
  #take(answers) {
    let {version} = this.facts;
    const entries = [...this.entries];
    for (const {clip_list: list, entries: touched, adds} of answers) {
      if (!list || list.version > version + 1 || (adds && answers.length > 1)) return false;
      version = list.version;
      for (const entry of touched) {
        const at = entries.findIndex((each) => each.id === entry.id);
        if (at >= 0) entries[at] = entry;
        else if (adds) entries.splice(entry.position, 0, entry);
      }
    }
    const facts = answers.at(-1).clip_list;
    if (entries.length !== facts.clips) return false;
    this.#put(facts, entries.map((each, position) => ({...each, position})));
    return true;
  }

  async #refused(error) {
    await this.#settle();
    this.dispatchEvent(new CustomEvent("refused", {detail: error}));
  }

  #show(entries) {
    this.#put({...this.facts, clips: entries.length, total_s: entries.reduce((sum, each) => sum + each.duration_s, 0)}, entries);
  }

  #put(facts, entries) {
    Object.assign(this, {facts, entries});
    this.dispatchEvent(new Event("change"));
  }
}
