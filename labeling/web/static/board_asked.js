// What the board asks the server for: clusters and items, a part at a time.

import {get, withQuery} from "./api.js";
import {boot} from "./boot.js";
import {NOISE} from "./board_words.js";

const ITEMS = 60;
const CLUSTERS = 120;
const MOST = 500;

export class Asked {
  // `scope`: {kind, scene, sort, q}
  constructor(scope) {
    this.scope = scope;
  }

  clusters(offset, limit = CLUSTERS) {
    const {kind, scene, sort, q} = this.scope;
    return get(withQuery("/api/clusters", {project: boot.project, kind, scene, sort, q, limit, offset}));
  }

  items(place, offset, limit = ITEMS) {
    const {kind, scene} = this.scope;
    if (place === NOISE) return get(withQuery("/api/noise", {project: boot.project, kind, limit, offset}));
    return get(withQuery(`/api/clusters/${place}/members`, {scene, limit, offset}));
  }

  // From the first on, as many as are loaded.
  clustersUpTo(loaded) {
    return upTo(Math.max(CLUSTERS, loaded), (...part) => this.clusters(...part));
  }

  itemsUpTo(place, loaded) {
    return upTo(Math.max(ITEMS, loaded), (...part) => this.items(place, ...part));
  }
}

async function upTo(count, part) {
  const found = await part(0, Math.min(MOST, count));
  while (found.next !== null && found.items.length < count) {
    const further = await part(found.next, Math.min(MOST, count - found.items.length));
    found.items.push(...further.items);
    found.next = further.next;
  }
  return found;
}
