// The clip lists of a project: what is on its way to the edit.

import {get, withQuery} from "./api.js";
import {boot, mayEdit} from "./boot.js";
import {button, h} from "./dom.js";
import {askByRule, askImport, askNew} from "./lists_new.js";
import {stateMark} from "./list_words.js";
import {attempt} from "./toasts.js";
import {clock, grouped, many} from "./words.js";

const SHOWN = 60;
const WAIT_MS = 200;

class Lists extends HTMLElement {
  #asked = 0;
  #timer = null;

  connectedCallback() {
    document.title = "Lists · Selects";
    if (!this.wall) this.#build();
    this.#load();
  }

  disconnectedCallback() {
    clearTimeout(this.#timer);
  }

  #build() {
    this.className = "page lists";
    this.field = h("input", {class: "input", type: "search", placeholder: "Filter by name", "aria-label": "Filter by name", oninput: () => this.#soon()});
    this.states = h("select", {class: "input", "aria-label": "State", onchange: () => this.#load()}, h("option", {value: ""}, "All"), h("option", {value: "draft"}, "Drafts"), h("option", {value: "approved"}, "Approved"));
    this.wall = h("ul", {class: "wall lists-wall", "aria-label": "Clip lists"});
    this.more = button("Show more", () => this.#load(this.wall.children.length), {hidden: true});
    this.nothing = h("section", {class: "empty", hidden: true});
    const made = (list) => this.#open(list);
    this.making = mayEdit() ? [button("New list …", () => askNew(made), {kind: "main", symbol: "plus"}), button("By rule …", () => askByRule(made)), button("Import an edit …", () => askImport(made))] : [];
    this.filters = h("div", {class: "bar"}, this.field, this.states);
    this.append(h("header", {class: "page-head"}, h("h1", {}, "Lists"), this.filters, h("div", {class: "bar"}, this.making)), this.wall, this.more, this.nothing);
  }

  #soon() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#load(), WAIT_MS);
  }

  #open(list) {
    document.querySelector("selects-app").go(`/lists/${list.id}`);
  }

  async #load(offset = 0) {
    const asked = ++this.#asked, q = this.field.value.trim(), state = this.states.value;
    if (!boot.project) return this.#say("You are a member of no project yet.", "Ask somebody to invite you.");
    const found = await attempt(() => get(withQuery("/api/lists", {project: boot.project, q, state, limit: SHOWN, offset})));
    if (!found || asked !== this.#asked) return undefined;
    const cards = found.items.map(card);
    if (offset) this.wall.append(...cards);
    else this.wall.replaceChildren(...cards);
    this.more.hidden = found.next === null;
    const filtered = Boolean(q || state);
    this.filters.hidden = !found.total && !filtered;
    this.nothing.hidden = found.total > 0;
    if (found.total) return undefined;
    return filtered ? this.#say("No list is like that.", "Try fewer letters, or all states.")
      : this.#say("No lists yet", "A list takes approved clips, of one film or several, to the edit: as EDL, FCPXML, FCP7 XML, OTIO, CSV, JSON, a contact sheet, or as rendered clips. Fill one by hand, or by a rule such as “the best eight, at most two a scene, six minutes together”.");
  }

  #say(title, words) {
    this.nothing.hidden = false;
    this.nothing.replaceChildren(h("h2", {}, title), h("p", {class: "muted"}, words));
  }
}

customElements.define("selects-lists", Lists);

function card(list) {
  const {id, name, picture, clips, total_s: total, target_s: target, films} = list;
  const of = films.length > 2 ? `${films.slice(0, 2).join(", ")} and ${grouped(films.length - 2)} more` : films.join(", ");
  return h("li", {class: "card"}, h("span", {class: "poster"}, picture ? h("img", {src: picture, alt: "", loading: "lazy"}) : null),
    h("div", {class: "card-words"}, h("a", {class: "card-title", href: `/lists/${id}`, title: name}, name),
      h("p", {class: "small muted num"}, `${many(clips, "clip")} · ${clock(total)}${target ? ` of ${clock(target)}` : ""}`),
      h("p", {class: "small muted", title: films.join(", ")}, of || "no clips yet"), stateMark(list)));
}
