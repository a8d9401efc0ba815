// A change that is shown and not yet known to be done: what moved from where, and by how much figures differ until then.

export class Change {
  from = new Map();
  figures = new Map();

  // `order`: the order of clusters before, where that changes.
  constructor(to, order = null) {
    Object.assign(this, {to, order});
  }

  add(place, {size, seconds}) {
    const so = this.figures.get(place) ?? {size: 0, seconds: 0};
    this.figures.set(place, {size: so.size + size, seconds: so.seconds + seconds});
  }

  move(item, place, index) {
    const seconds = item.end_s - item.start_s;
    this.from.set(item.id, {place, index});
    this.add(place, {size: -1, seconds: -seconds});
    this.add(this.to, {size: 1, seconds});
  }

  // A new cluster has got its id.
  rename(from, to) {
    if (this.to === from) this.to = to;
    if (this.figures.has(from)) this.figures.set(to, this.figures.get(from)), this.figures.delete(from);
    for (const was of this.from.values()) if (was.place === from) was.place = to;
  }
}

// All changes that are on their way, and whether a hand is dragging. Answers to what was asked in another round tell how
// things were before: they are of no use.
export class OnTheWay {
  round = 0;
  #changes = new Set();
  #held = false;
  #waiting = [];

  get busy() {
    return this.#held || this.#changes.size > 0;
  }

  hold(on) {
    this.#held = on;
  }

  begin(change) {
    this.#changes.add(change);
    this.round++;
  }

  end(change) {
    this.#changes.delete(change);
    if (!this.#changes.size) for (const resolve of this.#waiting.splice(0)) resolve();
  }

  // The answer to a part that is wanted, once no change is on its way; asked again if one was meanwhile. null: no part is left.
  async asked(next, ask) {
    for (;;) {
      while (this.#changes.size) await new Promise((resolve) => { this.#waiting.push(resolve); });
      if (next() === null) return null;
      const {round} = this, found = await ask(next());
      if (round === this.round) return found;
    }
  }

  moves(id) {
    return [...this.#changes].some((change) => change.from.has(id));
  }

  figures(place) {
    const sum = {size: 0, seconds: 0};
    for (const {figures} of this.#changes) {
      const more = figures.get(place);
      if (more) sum.size += more.size, sum.seconds += more.seconds;
    }
    return sum;
  }

  rename(from, to) {
    for (const change of this.#changes) change.rename(from, to);
  }
}
