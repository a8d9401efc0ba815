// Shots by words, by example, by a picture: what was found, how near it is, and why.

import {get, getAll, post, withQuery} from "./api.js";
import {boot} from "./boot.js";
import {button, h, isTyping} from "./dom.js";
import {Filters} from "./filters.js";
import {Hits} from "./hits.js";
import {attempt, toast} from "./toasts.js";
import {clock, many} from "./words.js";

const PART = 60;
const EXAMPLE = ["movie", "shot", "scene", "start_frame", "end_frame"];

class Search extends HTMLElement {
  #picture = null;
  #asking = null;
  #next = null;
  #asked = null;
  #stop = null;

  connectedCallback() {
    document.title = "Search · Selects";
    if (!this.box) this.#build();
    this.#stop = new AbortController();
    document.addEventListener("keydown", (event) => event.key === "/" && !isTyping(event) && (event.preventDefault(), this.box.focus()), {signal: this.#stop.signal});
  }

  disconnectedCallback() {
    this.#stop.abort();
  }

  #build() {
    this.className = "page search";
    this.box = h("input", {type: "search", class: "input search-box", placeholder: "What is said, or what is to be seen", "aria-label": "Words to search for", maxLength: 500, autocomplete: "off"});
    this.picker = h("input", {type: "file", accept: "image/*", class: "sr", tabIndex: -1, "aria-label": "A picture to search by", onchange: () => { this.#byPicture(this.picker.files[0]); this.picker.value = ""; }});
    const form = h("form", {class: "bar search-form", role: "search"}, this.box, h("button", {type: "submit", class: "button main"}, "Search"), button("By a picture …", () => this.picker.click(), {title: "Or drop one anywhere on this page"}));
    form.addEventListener("submit", (event) => { event.preventDefault(); this.#byWords(this.box.value.trim()); });
    this.filters = new Filters(() => this.#go(this.#example()));
    this.example = h("div", {class: "example", hidden: true});
    this.status = h("p", {class: "muted num", role: "status"});
    this.hits = new Hits({like: (hit) => this.#go({movie: hit.movie_id, shot: hit.shot})});
    this.more = button("Show more", () => this.#more(), {hidden: true});
    this.append(h("header", {class: "page-head"}, h("h1", {}, "Search")), form, this.filters.element, this.picker, this.example, this.status, this.hits.element, this.more);
    this.#takeDrops();
  }

  // The address says what is searched for; pictures have none.
  async address() {
    const said = new URLSearchParams(location.search), asked = said.toString();
    if (asked === this.#asked) return;
    this.#asked = asked;
    this.#picture = null;
    this.box.value = said.get("q") ?? "";
    if (!this.box.value && !said.get("movie")) this.box.focus({preventScroll: true});
    await this.filters.load(said.getAll("cluster"));
    if (asked !== this.#asked) return;
    this.filters.read(said);
    await this.#search();
  }

  #example() {
    const said = new URLSearchParams(location.search), values = Object.fromEntries(EXAMPLE.map((name) => [name, said.get(name)]));
    return values.movie ? values : {q: this.box.value.trim()};
  }

  #byWords(words) {
    this.#picture = null;
    if (words) this.#go({q: words});
  }

  #go(what) {
    const address = withQuery("/search", {...what, ...this.filters.values});
    if (this.#picture) this.#search();
    else document.querySelector("selects-app").go(address);
  }

  #byPicture(file) {
    if (!file?.type.startsWith("image/")) return toast("Drop a picture: JPEG, PNG, WebP, GIF, BMP or TIFF.", {problem: true});
    this.#picture = file;
    this.box.value = "";
    this.#asked = null;
    return this.#search();
  }

  async #search() {
    this.#asking?.abort();
    this.hits.clear();
    this.more.hidden = true;
    this.#next = 0;
    this.#showExample();
    const what = this.#example();
    if (!this.#picture && !what.movie && !what.q) return this.#rest();
    this.status.textContent = "Searching …";
    return this.#more();
  }

  async #more() {
    const asking = this.#asking = new AbortController(), first = this.#next === 0;
    this.more.disabled = true;
    const found = await attempt(() => this.#ask({limit: PART, offset: this.#next}, {signal: asking.signal}));
    if (asking.signal.aborted) return;
    this.more.disabled = false;
    if (!found) { this.status.textContent = ""; return; }
    this.hits.add(found.items);
    this.#next = found.next;
    this.more.hidden = found.next === null;
    this.status.textContent = this.#words(found, first);
  }

  #ask(part, options) {
    const scope = {project: boot.project, ...this.filters.values, ...part}, what = this.#example();
    if (this.#picture) {
      const form = new FormData();
      form.append("image", this.#picture, this.#picture.name);
      return post(withQuery("/api/similar", scope), form, options);
    }
    return what.movie ? get(withQuery("/api/similar", {...what, ...scope}), options) : get(withQuery("/api/search", {...what, ...scope}), options);
  }

  #words(found) {
    const films = found.films ?? Math.max(...Object.values(found.searched ?? {0: 0}));
    if (found.total) return [`${many(found.total, "shot")}, ${many(films, "film")} searched`, found.note].filter(Boolean).join(" · ");
    const why = films ? "Nothing like that was found; other words, or fewer filters, may help." : "No film that passes the filters can be searched yet.";
    return [why, found.note].filter(Boolean).join(" ");
  }

  #rest() {
    this.status.textContent = "Words find dialogue and things; on every thumbnail, or with m, there is more like this; a picture can be dropped here.";
  }

  async #showExample() {
    const what = this.#example();
    this.example.hidden = !this.#picture && !what.movie;
    if (this.example.hidden) return;
    const away = button("", () => { this.#picture = null; this.#go({q: ""}); }, {kind: "plain", symbol: "close", title: "Search for something else"});
    if (this.#picture) {
      const url = URL.createObjectURL(this.#picture), picture = h("img", {src: url, alt: "", onload: () => URL.revokeObjectURL(url)});
      this.example.replaceChildren(picture, h("span", {class: "wrap"}, `Shots that look like ${this.#picture.name}`), away);
      return;
    }
    const movie = await get(`/api/movies/${what.movie}`).catch(() => null);
    if (!movie) return;
    const shots = await getAll(`/api/movies/${what.movie}/shots`).catch(() => []);
    const shot = what.shot !== null ? shots[Number(what.shot)] : shots.find((each) => (what.scene !== null ? each.scene === Number(what.scene) : each.end_frame > Number(what.start_frame)));
    const name = what.shot !== null ? `shot ${Number(what.shot) + 1}` : what.scene !== null ? `scene ${Number(what.scene) + 1}` : "this clip";
    this.example.replaceChildren(...[shot?.picture ? h("img", {src: shot.picture, alt: ""}) : null,
      h("span", {class: "wrap"}, "More like ", h("a", {class: "link", href: `/movies/${movie.id}?t=${shot?.start_s ?? 0}`}, `${name} of ${movie.title}`), shot ? `, ${clock(shot.start_s)}` : ""), away].filter(Boolean));
  }

  #takeDrops() {
    this.addEventListener("dragover", (event) => { event.preventDefault(); this.classList.add("dropping"); });
    this.addEventListener("dragleave", (event) => !this.contains(event.relatedTarget) && this.classList.remove("dropping"));
    this.addEventListener("drop", (event) => {
      event.preventDefault();
      this.classList.remove("dropping");
      if (event.dataTransfer.files.length) this.#byPicture(event.dataTransfer.files[0]);
    });
  }
}

customElements.define("selects-search", Search);
