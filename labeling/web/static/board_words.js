// What the board calls things.

import {clock, many} from "./words.js";

export const NOISE = "noise";
export const NEW = "new";
export const VIEWS = {
  scene: {tab: "Places", one: "place", more: "places", item: "shot", unnamed: "Place", outside: "in no place"},
  character: {tab: "People", one: "person", more: "people", item: "appearance", unnamed: "Person", outside: "with no person"},
};
export const SORTS = {size: "Most first", name: "By name", "screen-time": "Longest on screen", new: "Newest first"};

export const nameOf = (cluster) => cluster.name || `${cluster.id > 0 ? "" : "New "}${VIEWS[cluster.kind].unnamed} ${cluster.id > 0 ? cluster.id : ""}`.trim();
export const manyItems = (count, kind) => many(count, VIEWS[kind].item);
export const share = (value) => `${Math.round(100 * value)} %`;

// Of two that become one, that with a name stays, else the larger one.
export function mainFirst(one, other) {
  const stays = (cluster) => [Boolean(cluster.name), cluster.size], [a, b] = [stays(one), stays(other)];
  return b[0] > a[0] || (b[0] === a[0] && b[1] > a[1]) ? [other, one] : [one, other];
}

export function figureWords({size, seconds}, kind) {
  return `${manyItems(size, kind)} · ${clock(seconds)}`;
}

export function itemWords(item) {
  const sure = item.held ? "put here by hand" : item.cluster === null ? "in no cluster" : `${share(item.confidence)} sure`;
  return `${item.movie_title}, ${clock(item.start_s)}, ${Math.max(0.1, item.end_s - item.start_s).toFixed(1)} s, ${sure}`;
}

// Where in its films a cluster appears, for who does not see the strip.
export function stripWords(strips) {
  const spans = (strip) => strip.spans.slice(0, 3).map(([from, to]) => `${clock(from)} to ${clock(to)}`).join(", ") + (strip.spans.length > 3 ? " …" : "");
  return strips.map((strip) => `${strip.movie_title}: ${spans(strip)}`).join("; ");
}
