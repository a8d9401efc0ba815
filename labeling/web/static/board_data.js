// What lies where: clusters and their items as the server last said, and as they are changed here while that is on its way.
// A place is the id of a cluster as text, "noise", or "new-1" for a cluster that the server has not named yet.

import {Asked} from "./board_asked.js";
import {Change, OnTheWay} from "./board_change.js";
import {NOISE} from "./board_words.js";

// Events: "change" (detail: places whose items or figures changed), "order" (other clusters, or in another order).
export class Shelves extends EventTarget {
  clusters = new Map();
  order = [];
  total = 0;
  next = 0;
  #lists = new Map();
  #items = new Map();
  #way = new OnTheWay();
  #made = 0;
  #owed;
  #renewing = 0;
  #server;

  // `scope`: {kind, scene, sort, q}; noise has no row of its own.
  constructor(scope) {
    super();
    this.scope = scope;
    this.#server = new Asked(scope);
    this.clusters.set(NOISE, {id: 0, kind: scope.kind, name: "noise", size: 0, screen_time_s: 0});
  }

  get busy() {
    return this.#way.busy;
  }

  // Under a hand that drags nothing is put in another order; what is to be asked for anew waits until it lets go.
  hold(on) {
    this.#way.hold(on);
    this.#pay();
  }

  async load() {
    const round = ++this.#way.round;
    const [found, noise] = await Promise.all([this.#server.clusters(0), this.#server.items(NOISE, 0)]);
    if (round !== this.#way.round) return;
    this.#arrange(found, []);
    const list = this.list(NOISE);
    Object.assign(list, {items: [], paged: new Set(), next: 0});
    this.#append(list, noise);
    this.#tell("order");
  }

  async more() {
    if (this.next === null || this.asking) return;
    this.asking = this.#way.asked(() => this.next, (next) => this.#server.clusters(next));
    const found = await this.asking.finally(() => { this.asking = null; });
    if (!found) return;
    this.#arrange(found, this.order);
    this.#tell("order");
  }

  // Everything that is shown anew, when others or a job may have changed it. What is loaded of lists stays loaded. While
  // something is on its way it waits: an answer from before that would put things back to where they were.
  async renew(places = null) {
    this.#owed = this.#owed === null || !places ? null : new Set([...(this.#owed ?? []), ...places]);
    if (this.busy) return;
    const round = this.#renewing = ++this.#way.round, owed = this.#owed, wanted = [...this.#lists.values()].filter((list) => list.loaded && (!owed || owed.has(list.place) || list.place === NOISE));
    const [found, ...parts] = await Promise.all([this.#server.clustersUpTo(this.order.length),
      ...wanted.map((list) => this.#server.itemsUpTo(list.place, list.items.length).catch(() => null))]).finally(() => { if (this.#renewing === round) this.#renewing = 0; });
    if (round !== this.#way.round || this.busy) return;
    this.#owed = undefined;
    if (found.next === null && !this.scope.q) this.#only(found.items);
    // Where the same clusters are there, none jumps to another place because it has a shot more.
    const known = new Set(this.order), same = found.items.length === known.size && found.items.every((each) => known.has(String(each.id)));
    this.#arrange(found, same ? this.order : []);
    wanted.forEach((list, at) => {
      Object.assign(list, {items: [], paged: new Set(), next: 0});
      if (parts[at]) this.#append(list, parts[at]);
    });
    this.#tell("order");
    this.#tell("change", new Set(wanted.map((list) => list.place)));
  }

  // Whether the server says anything else than what is known here; asks again where it does.
  async look() {
    if (this.busy) return;
    if (this.#owed !== undefined) return void await this.renew(this.#owed);
    const round = this.#way.round, known = this.order.map((place) => this.clusters.get(place));
    const found = await this.#server.clustersUpTo(this.order.length);
    if (round !== this.#way.round || this.busy || stamp(found.items) === stamp(known)) return;
    const before = new Map(known.map((each) => [each.id, stamp([each])]));
    await this.renew(new Set(found.items.filter((each) => before.get(each.id) !== stamp([each])).map((each) => String(each.id))));
  }

  list(place) {
    if (!this.#lists.has(place)) this.#lists.set(place, {place, items: [], paged: new Set(), next: 0, loaded: false, asking: null});
    return this.#lists.get(place);
  }

  // The next part of what lies somewhere.
  async loadMore(place) {
    const list = this.list(place);
    if (list.next === null || list.asking || place.startsWith("new")) return list.asking;
    list.asking = this.#way.asked(() => list.next, (next) => this.#server.items(list.place, next)).then((part) => {
      if (!part) return;
      this.#append(list, part);
      this.#tell("change", new Set([list.place]));
    }).finally(() => { list.asking = null; });
    return list.asking;
  }

  item(id) {
    return this.#items.get(id)?.item;
  }

  placeOf(id) {
    return this.#items.get(id)?.place;
  }

  // How many lie there and how long that lasts, with what is on its way.
  figures(place) {
    const {size = 0, screen_time_s: seconds = 0} = this.clusters.get(place) ?? {};
    const more = this.#way.figures(place);
    return {size: Math.max(0, size + more.size), seconds: Math.max(0, seconds + more.seconds)};
  }

  // A cluster that is there at once and that the server makes in a moment.
  begin(name) {
    const place = `new-${++this.#made}`;
    this.clusters.set(place, {id: 0, kind: this.scope.kind, name, suggestion: "", size: 0, screen_time_s: 0, cohesion: 1, cover: null, strip: [], films: 0});
    this.order.unshift(place);
    this.#tell("order");
    return place;
  }

  // Puts items somewhere at once; what it gives goes to `settle` or `putBack`.
  put(ids, to) {
    const change = new Change(to), going = new Set(ids.filter((id) => this.#items.has(id) && this.placeOf(id) !== to));
    for (const id of going) {
      const {item, place} = this.#items.get(id);
      change.move(item, place, this.list(place).items.indexOf(item));
    }
    this.#shift(going, to);
    this.#way.begin(change);
    this.#tell("change", new Set([to, ...change.figures.keys()]));
    return change;
  }

  // Clusters become one at once.
  join(into, others) {
    const change = new Change(into, [...this.order]);
    for (const place of others) change.add(into, this.figures(place));
    this.order = this.order.filter((place) => !others.includes(place));
    this.#way.begin(change);
    this.#tell("order");
    return change;
  }

  // The server has done it; `at` is the id that a new cluster got.
  settle(change, answer, at = change.to) {
    this.#way.end(change);
    const noise = change.figures.get(NOISE), rest = this.clusters.get(NOISE);
    if (noise) rest.size += noise.size, rest.screen_time_s += noise.seconds;
    if (at !== change.to) this.#rename(change.to, at);
    for (const id of change.from.keys()) {
      const known = this.#items.get(id);
      if (known?.place === at) Object.assign(known.item, {cluster: at === NOISE ? null : Number(at), held: at !== NOISE});
    }
    this.take(answer);
    this.#pay();
  }

  // The server has refused it: what nobody has moved on since goes back to where it was.
  putBack(change) {
    this.#way.end(change);
    const back = [...change.from].filter(([id]) => this.placeOf(id) === change.to);
    const touched = new Set([change.to, ...back.map(([, {place}]) => place)]);
    const list = this.list(change.to), ids = new Set(back.map(([id]) => id));
    list.items = list.items.filter((item) => !ids.has(item.id));
    for (const [id, {place, index}] of back.sort(([, one], [, other]) => one.index - other.index)) {
      const known = this.#items.get(id);
      known.place = place;
      this.list(place).items.splice(index, 0, known.item);
    }
    if (change.order) this.order = change.order;
    if (change.to.startsWith("new")) this.#forget(change.to);
    this.#tell("order");
    this.#tell("change", touched);
    this.#pay();
  }

  // Clusters as a correction left them.
  take({clusters, gone}) {
    const before = this.order.join();
    for (const id of gone) this.#forget(String(id));
    for (const cluster of clusters.filter((each) => each.kind === this.scope.kind)) {
      const place = String(cluster.id);
      if (!this.clusters.has(place)) this.order.unshift(place), this.total++;
      this.clusters.set(place, cluster);
    }
    if (this.order.join() !== before) this.#tell("order");
    this.#tell("change", new Set([NOISE, ...clusters.map((each) => String(each.id))]));
  }

  say(place, facts) {
    this.clusters.set(place, {...this.clusters.get(place), ...facts});
    this.#tell("change", new Set([place]));
  }

  // The cluster, though it may not be among those that were loaded.
  know(cluster) {
    const place = String(cluster.id);
    if (!this.clusters.has(place)) this.clusters.set(place, cluster);
    return place;
  }

  // What waited is asked for now, unless who ends this asks for it too.
  #pay() {
    queueMicrotask(() => this.#owed !== undefined && !this.busy && this.#renewing !== this.#way.round && this.renew(this.#owed).catch(() => undefined));
  }

  #arrange(found, before) {
    this.total = found.total;
    this.next = found.next;
    for (const cluster of found.items) this.clusters.set(String(cluster.id), cluster);
    this.order = [...new Set([...before, ...found.items.map((each) => String(each.id))])];
  }

  // What is not among them is gone.
  #only(clusters) {
    const there = new Set([NOISE, ...clusters.map((each) => String(each.id))]);
    for (const place of this.clusters.keys()) if (!there.has(place)) this.#forget(place);
  }

  // A part may hold what was moved meanwhile: then what was done here holds.
  #append(list, part) {
    const here = new Set(list.items.map((item) => item.id));
    for (const item of part.items) {
      const known = this.#items.get(item.id);
      if (here.has(item.id) || (known && known.place !== list.place && this.#way.moves(item.id))) continue;
      if (known && known.place !== list.place) this.#take(item.id, known.place);
      this.#items.set(item.id, {item, place: list.place});
      list.items.push(item);
      list.paged.add(item.id);
    }
    list.next = part.next;
    list.loaded = true;
    if (list.place === NOISE) this.clusters.get(NOISE).size = part.total;
  }

  #take(id, place) {
    const list = this.list(place);
    list.items = list.items.filter((item) => item.id !== id);
  }

  #shift(going, to) {
    const moved = [...going].map((id) => this.#items.get(id));
    for (const place of new Set(moved.map((known) => known.place))) {
      const list = this.list(place);
      list.items = list.items.filter((item) => !going.has(item.id));
      // What follows moves up on the server too.
      if (list.next !== null) list.next = Math.max(0, list.next - [...going].filter((id) => list.paged.delete(id)).length);
    }
    for (const known of moved) known.place = to;
    this.list(to).items.unshift(...moved.map((known) => known.item));
  }

  #rename(from, to) {
    const list = this.list(from);
    for (const item of list.items) this.#items.get(item.id).place = to;
    this.#lists.delete(from);
    this.#lists.set(to, Object.assign(list, {place: to, loaded: true, next: null}));
    this.clusters.set(to, {...this.clusters.get(from), id: Number(to)});
    this.clusters.delete(from);
    this.order = this.order.map((place) => (place === from ? to : place));
    this.#way.rename(from, to);
    this.dispatchEvent(new CustomEvent("named", {detail: {from, to}}));
  }

  #forget(place) {
    this.clusters.delete(place);
    this.order = this.order.filter((each) => each !== place);
    this.#lists.delete(place);
  }

  #tell(name, detail) {
    this.dispatchEvent(new CustomEvent(name, {detail}));
  }
}

const stamp = (clusters) => JSON.stringify(clusters.map((each) => [each.id, each.size, each.name, each.updated_at]).sort(([one], [other]) => one - other));
