// Thumbnails of items, and lists of them. A thumbnail is made once and moves with its item.

import {h} from "./dom.js";
import {itemWords} from "./board_words.js";

const FACE_ROOM = 2.2;
const LEAST_ROOM = 0.16;

export class Tiles {
  #made = new Map();
  #chosen = new Set();

  of(item) {
    let tile = this.#made.get(item.id);
    if (!tile) this.#made.set(item.id, tile = tileOf(item));
    tell(tile, item);
    return tile;
  }

  at(id) {
    return this.#made.get(id);
  }

  // Marks these as selected, and no others.
  choose(ids) {
    for (const id of this.#chosen) if (!ids.has(id)) this.at(id)?.setAttribute("aria-selected", "false");
    for (const id of ids) if (!this.#chosen.has(id)) this.at(id)?.setAttribute("aria-selected", "true");
    this.#chosen = new Set(ids);
  }

  // Makes an element show these items in this order; what is there already is not touched.
  fill(list, items) {
    const wanted = new Set(items.map((item) => item.id));
    for (const tile of [...list.children]) if (!wanted.has(Number(tile.dataset.id))) tile.remove();
    let at = list.firstElementChild;
    for (const item of items) {
      const tile = this.of(item);
      if (tile === at) at = at.nextElementSibling;
      else list.insertBefore(tile, at);
    }
  }
}

function tileOf(item) {
  return h("li", {class: "tile", role: "option", tabIndex: -1, "aria-selected": "false", dataset: {id: item.id}}, pictureOf(item));
}

function tell(tile, item) {
  if (tile.held === item.held && tile.cluster === item.cluster) return;
  Object.assign(tile, {held: item.held, cluster: item.cluster});
  tile.setAttribute("aria-label", itemWords(item));
  tile.title = itemWords(item);
  tile.toggleAttribute("data-held", item.held);
}

// The keyframe of a shot, or the face in one. How a face is cut out is known when the picture is there (`cutFace`).
export function pictureOf(item) {
  const picture = h("img", {alt: "", loading: "lazy", decoding: "async", draggable: false, class: item.box ? "face" : ""});
  if (item.box) picture.dataset.box = [item.box.x, item.box.y, item.box.width, item.box.height].join(" ");
  picture.src = item.picture;
  return picture;
}

// Shows the square around the face: listens to "load" of pictures.
export function cutFace(picture) {
  if (!picture.dataset?.box) return;
  const [x, y, width, height] = picture.dataset.box.split(" ").map(Number), {naturalWidth: wide, naturalHeight: high} = picture;
  const side = Math.min(Math.max(FACE_ROOM * Math.max(width * wide, height * high), LEAST_ROOM * wide), wide, high);
  const left = clamp((x + width / 2) * wide - side / 2, wide - side), top = clamp((y + height / 2) * high - side / 2, high - side);
  Object.assign(picture.style, {width: `${100 * wide / side}%`, height: `${100 * high / side}%`, left: `${-100 * left / side}%`, top: `${-100 * top / side}%`});
}

const clamp = (value, most) => Math.min(Math.max(value, 0), Math.max(most, 0));
