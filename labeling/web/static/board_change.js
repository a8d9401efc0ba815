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
