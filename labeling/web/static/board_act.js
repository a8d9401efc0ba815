// Corrections: each is on the board at once, goes to the server in its turn, and comes back from there if it is refused.

import {api, post, withQuery} from "./api.js";
import {boot} from "./boot.js";
import {manyItems, nameOf, NEW, NOISE, VIEWS} from "./board_words.js";
import {grouped, many} from "./words.js";

const MOST_ITEMS = 2000;
// What is taken out is named in the address, of which proxies take 8 KiB.
const MOST_IN_ADDRESS = 300;

// Events: "done": detail {words, ids (corrections to take back), more, correction}; "refused": detail {words, error}.
export class Corrections extends EventTarget {
  #chain = Promise.resolve();
  #mine = [];

  constructor(shelves) {
    super();
    this.shelves = shelves;
    this.kind = shelves.scope.kind;
  }

  // Settled when all that was asked for is done or refused.
  get idle() {
    return this.#chain;
  }

  // To a cluster, to noise, or to a new cluster; gives the place.
  move(ids, to, name = "") {
    const {shelves} = this, going = ids.filter((id) => shelves.placeOf(id) !== undefined && shelves.placeOf(id) !== to);
    if (!going.length) return null;
    if (going.length > MOST_ITEMS) return this.#refuse("", new Error(`At most ${grouped(MOST_ITEMS)} can be moved at a time.`));
    const place = to === NEW ? shelves.begin(name) : to;
    const words = `${manyItems(going.length, this.kind)} ${to === NEW ? `made a new ${VIEWS[this.kind].one}` : `moved to ${this.#named(place)}`}`;
    const from = Map.groupBy(going, (id) => shelves.placeOf(id)), change = shelves.put(going, place);
    if (to === NOISE) this.#remove(change, from);
    else if (to === NEW) this.#send(change, words, () => post(withQuery("/api/clusters", project()), {items: going, kind: this.kind, name}));
    else this.#send(change, words, () => post(`/api/clusters/${change.to}/members`, {items: going}));
    return place;
  }

  // Items of one cluster that are another.
  split(ids) {
    const [from] = ids.map((id) => this.shelves.placeOf(id)), place = this.shelves.begin("");
    const change = this.shelves.put(ids, place), words = `${manyItems(ids.length, this.kind)} split off ${this.#named(from)}`;
    const was = change.from.get(ids[0]);
    this.#send(change, words, () => post("/api/clusters/split", {cluster: Number(was.place), items: ids, name: ""}));
    return place;
  }

  merge(into, others) {
    const words = `${others.map((place) => this.#named(place)).join(", ")} merged into ${this.#named(into)}`, change = this.shelves.join(into, others);
    this.#send(change, words, () => post("/api/clusters/merge", {into: Number(into), clusters: others.map(Number)}), () => this.shelves.renew(new Set([into])));
  }

  rename(place, name) {
    const {shelves} = this, before = shelves.clusters.get(place).name;
    if (name === before) return;
    const words = name ? `${this.#named(place)} is now ${name}` : `${this.#named(place)} has no name any more`, change = shelves.put([], place);
    shelves.say(place, {name});
    this.#send(change, words, () => api("PATCH", `/api/clusters/${change.to}`, {name}), null, () => shelves.clusters.has(change.to) && shelves.say(change.to, {name: before}));
  }

  // The newest of this visit that is not taken back; false where there is none.
  undoLast() {
    return this.#ask(async () => {
      const ids = this.#mine.at(-1);
      if (ids) return this.#takeBack(ids);
      return this.#refuse("", new Error("There is nothing of this visit to take back; what was done before is in the history."));
    });
  }

  undo(ids) {
    return this.#ask(() => this.#takeBack(ids));
  }

  // Does what a correction would change besides.
  more(id, count) {
    return this.#ask(async () => {
      const answer = await post(`/api/clusters/corrections/${id}/more`);
      this.#keep([answer.correction.id]);
      await this.#anew();
      this.#tell("done", {words: `${manyItems(count, this.kind)} more moved`, ids: [answer.correction.id], more: answer.more, correction: answer.correction});
    });
  }

  // What is "not this" is said to each cluster that it lay in, in parts; they are taken back as one.
  #remove(change, from) {
    const ids = [], count = change.from.size;
    const parts = [...from.values()].flatMap((all) => inParts(all, MOST_IN_ADDRESS)).map((items) => async () => {
      const at = change.from.get(items[0]).place;
      const answer = await api("DELETE", withQuery(`/api/clusters/${at}/members`, {items}));
      ids.push(answer.correction.id);
      return answer;
    });
    this.#ask(async () => {
      try {
        let answer = null;
        for (const part of parts) {
          const next = await part();
          answer = {...next, more: next.more + (answer?.more ?? 0), clusters: [...(answer?.clusters ?? []), ...next.clusters], gone: [...(answer?.gone ?? []), ...next.gone]};
        }
        this.#done(change, answer, `${manyItems(count, this.kind)} moved to noise`, ids);
      } catch (error) {
        this.#failed(change, error, ids.length > 0);
      }
    });
  }

  #send(change, words, run, after = null, back = null) {
    this.#ask(async () => {
      try {
        const answer = await run();
        this.#done(change, answer, words, [answer.correction.id]);
        await after?.();
      } catch (error) {
        back?.();
        this.#failed(change, error, false);
      }
    });
  }

  #done(change, answer, words, ids) {
    const {shelves} = this, at = change.to.startsWith("new") ? String(answer.correction.cluster) : change.to;
    const otherwise = answer.clusters.some(({id, size}) => shelves.clusters.has(String(id)) && shelves.figures(String(id)).size !== size);
    shelves.settle(change, answer, at);
    this.#keep(ids);
    // The server may have moved more than was asked for: what must not lie together with it.
    if (shelves.scope.scene || otherwise) this.#anew().catch(() => undefined);
    this.#tell("done", {words, ids, more: answer.more, correction: answer.correction});
  }

  #failed(change, error, partly) {
    this.shelves.putBack(change);
    this.#refuse("Nothing was changed: ", error);
    if (partly || error.status === 404 || error.status === 409) this.#anew();
  }

  async #takeBack(ids) {
    const answers = [];
    for (const id of [...ids].reverse()) answers.push(await post(`/api/clusters/corrections/${id}/undo`));
    this.#mine = this.#mine.filter((each) => !each.some((id) => ids.includes(id)));
    await this.#anew();
    this.#tell("done", {words: answers.length === 1 ? answers[0].correction.said : `${many(answers.length, "correction")} taken back`, ids: [], more: 0, correction: answers[0].correction});
  }

  // Where things lie after it, the server knows.
  #anew() {
    return this.shelves.renew();
  }

  #keep(ids) {
    this.#mine.push(ids);
  }

  // One after the other, in the order in which they were made.
  #ask(run) {
    const ran = this.#chain.then(run).catch((error) => { this.#refuse("", error); });
    this.#chain = ran;
    return ran;
  }

  #refuse(words, error) {
    this.#tell("refused", {words, error});
    return null;
  }

  #named(place) {
    const cluster = this.shelves.clusters.get(place);
    return cluster ? nameOf(cluster) : `a ${VIEWS[this.kind].one}`;
  }

  #tell(name, detail) {
    this.dispatchEvent(new CustomEvent(name, {detail}));
  }
}

const project = () => ({project: boot.project});
const inParts = (all, most) => Array.from({length: Math.ceil(all.length / most)}, (_, part) => all.slice(part * most, (part + 1) * most));
