// Which thumbnails are selected and which one has the keys. Click, Shift, Ctrl as everywhere; a tap adds or takes away.

// Calls changed() when another set is selected.
export class Selection {
  ids = new Set();
  used = false;
  #anchor = null;
  #stop = null;

  constructor(tiles, changed) {
    Object.assign(this, {tiles, changed});
  }

  get list() {
    return [...this.ids];
  }

  set(ids) {
    this.ids = new Set(ids);
    this.tiles.choose(this.ids);
    this.changed();
  }

  toggle(id) {
    const ids = new Set(this.ids);
    if (!ids.delete(id)) ids.add(id);
    this.#anchor = id;
    this.set(ids);
  }

  pick(tile, {add = false, range = false} = {}) {
    const id = Number(tile.dataset.id);
    this.hold(tile, {used: true});
    if (range && this.#range(tile, add)) return;
    if (add) return void this.toggle(id);
    this.#anchor = id;
    this.set([id]);
  }

  // From the one that was picked last to this one, in one list.
  #range(tile, add) {
    const from = this.tiles.at(this.#anchor), list = tile.parentElement;
    if (!from || from.parentElement !== list) return false;
    const all = [...list.children], [low, high] = [all.indexOf(from), all.indexOf(tile)].sort((one, other) => one - other);
    this.set([...(add ? this.ids : []), ...all.slice(low, high + 1).map((each) => Number(each.dataset.id))]);
    return true;
  }

  // The one thumbnail that Tab leads to.
  hold(tile, {used = false} = {}) {
    this.used ||= used;
    if (this.#stop && this.#stop !== tile) this.#stop.tabIndex = -1;
    this.#stop = tile;
    tile.tabIndex = 0;
  }

  get held() {
    return this.#stop?.isConnected ? this.#stop : null;
  }
}
