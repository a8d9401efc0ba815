// The page that belongs to the address, in the frame. Going from one to another loads nothing anew, so that uploads go on.

import {api, post} from "./api.js";
import {boot, chooseProject} from "./boot.js";
import {h, openDialog} from "./dom.js";
import {jobs} from "./jobs.js";
import "./agreement.js";
import "./board.js";
import "./film.js";
import "./library.js";
import "./list.js";
import "./lists.js";
import "./model.js";
import "./models.js";
import {outbox} from "./outbox.js";
import "./people.js";
import "./review.js";
import "./search.js";
import "./toasts.js";
import {attempt, toast} from "./toasts.js";
import "./tray.js";
import {cutOff, uploads} from "./uploads.js";

// Address → element, the entry of the rail that it belongs to, whether it is kept when another is shown.
const PAGES = [
  {at: /^\/$/, tag: "selects-library", rail: "library", kept: true},
  {at: /^\/movies\/(\d+)$/, tag: "selects-film", rail: "library", kept: false},
  {at: /^\/review$/, tag: "selects-review", rail: "review", kept: true},
  {at: /^\/agreement$/, tag: "selects-agreement", rail: "review", kept: false},
  {at: /^\/board$/, tag: "selects-board", rail: "board", kept: true},
  {at: /^\/lists$/, tag: "selects-lists", rail: "lists", kept: false},
  {at: /^\/lists\/(\d+)$/, tag: "selects-list", rail: "lists", kept: false, named: "data-list"},
  {at: /^\/people$/, tag: "selects-people", rail: "person", kept: false},
  {at: /^\/search$/, tag: "selects-search", rail: "search", kept: true},
  {at: /^\/models$/, tag: "selects-models", rail: "models", kept: false},
  {at: /^\/models\/([A-Za-z0-9][\w.-]*)$/, tag: "selects-model", rail: "models", kept: false, named: "data-version"},
];

class App extends HTMLElement {
  #kept = new Map();
  #shown = "";

  connectedCallback() {
    document.addEventListener("click", (event) => this.#follow(event));
    addEventListener("popstate", () => this.show());
    document.addEventListener("selects:project", (event) => this.#project(event.detail));
    document.addEventListener("selects:people", () => this.go("/people"));
    document.addEventListener("selects:new-project", newProject);
    document.addEventListener("selects:sign-out", signOut);
    jobs.start();
    outbox.start();
    this.show();
    if (cutOff.length) toast(`Loading the page anew cut these uploads off: ${cutOff.join(", ")}. Choose the files once more.`, {problem: true});
  }

  go(address) {
    history.pushState({top: 0}, "", address);
    this.show();
    this.focus();
  }

  show() {
    const page = PAGES.find((each) => each.at.test(location.pathname));
    const id = page?.at.exec(location.pathname)[1], key = page ? page.tag + (id ?? "") : "";
    for (const entry of document.querySelectorAll("[data-page]")) {
      if (entry.dataset.page === page?.rail) entry.setAttribute("aria-current", "page");
      else entry.removeAttribute("aria-current");
    }
    if (!page) return this.#lost();
    if (key === this.#shown) return this.firstElementChild.address?.();
    this.#shown = key;
    const view = this.#kept.get(key) ?? h(page.tag, id ? {[page.named ?? "data-movie"]: id} : {});
    if (page.kept) this.#kept.set(key, view);
    this.replaceChildren(view);
    scrollTo(0, history.state?.top ?? 0);
    return view.address?.();
  }

  #lost() {
    this.#shown = "";
    document.title = "Not found · Selects";
    this.replaceChildren(h("section", {class: "empty"}, h("h1", {}, "There is nothing at this address."),
      h("p", {class: "muted"}, "The film may have been deleted, or the link is not whole."),
      h("a", {class: "button main", href: "/"}, "To the library")));
  }

  #follow(event) {
    const link = event.target.closest?.("a[href^='/']");
    if (!link || event.defaultPrevented || event.button || event.ctrlKey || event.metaKey || event.shiftKey || link.target) return;
    if (!PAGES.some((page) => page.at.test(link.pathname))) return;
    event.preventDefault();
    history.replaceState({top: scrollY}, "");
    this.go(link.pathname + link.search);
  }

  #project(id) {
    chooseProject(id);
    this.#kept.clear();
    this.#shown = "";
    jobs.look();
    this.go("/");
  }
}

customElements.define("selects-app", App);

function newProject() {
  openDialog({
    title: "New project", confirm: "Make it",
    body: [h("label", {class: "field stacked"}, "Name", h("input", {class: "input", name: "name", required: true, maxLength: 200, autofocus: true}))],
    ask: async (form) => {
      const made = await post("/api/projects", {name: form.get("name").trim()});
      chooseProject(made.id);
      location.assign("/");
    },
  });
}

async function signOut() {
  if (uploads.open.length && !confirm("Films are still being uploaded. Stop them and sign out?")) return;
  uploads.stop();
  await attempt(() => api("DELETE", "/api/session"));
  location.assign("/signin");
}
