// Films like the one that is open, by plot and poster: a row that asks again while films wait to be compared.

import {get, withQuery} from "./api.js";
import {h} from "./dom.js";
import {percent} from "./words.js";

const SHOWN = 8, AGAIN_MS = 500;
const WORDS = {plot: "plot", poster: "poster"};

class Alike extends HTMLElement {
  #stop = new AbortController();

  connectedCallback() {
    this.className = "alike";
    this.hidden = true;
  }

  disconnectedCallback() {
    this.#stop.abort();
  }

  // A row is a help beside the film: where it cannot be had, there is none.
  async show(movie) {
    this.#stop.abort();
    const {signal} = this.#stop = new AbortController();
    for (;;) {
      const found = await get(withQuery(`/api/movies/${movie}/similar`, {limit: SHOWN})).catch(() => null);
      if (!found || signal.aborted || !this.isConnected) return;
      this.#draw(found);
      if (!found.waiting) return;
      await new Promise((resolve) => { setTimeout(resolve, AGAIN_MS); });
    }
  }

  #draw({items, waiting, by}) {
    this.hidden = !items.length && !waiting;
    const told = waiting ? `${waiting} more to compare …` : `by ${by.map((each) => WORDS[each]).join(" and ")}`;
    this.replaceChildren(h("h2", {}, "Films like this ", h("span", {class: "small muted", role: "status"}, told)), h("ul", {class: "wall", "aria-label": "Films like this"}, items.map(card)));
  }
}

customElements.define("selects-alike", Alike);

function card(film) {
  const why = film.found_by.map((each) => `${WORDS[each.by]} ${percent(each.score)}`).join(" · ");
  const at = `/movies/${film.movie_id}`;
  const picture = film.picture ? h("img", {src: film.picture, alt: "", loading: "lazy", decoding: "async"}) : null;
  return h("li", {class: "card", dataset: {movie: film.movie_id}}, h("a", {class: "poster", href: at, "aria-label": film.title, draggable: false}, ...[picture].filter(Boolean)),
    h("div", {class: "card-words"}, h("a", {class: "card-title", href: at, title: film.title}, film.year ? `${film.title} (${film.year})` : film.title), h("p", {class: "card-facts small muted num"}, why)));
}
