// A clip list: it plays from end to end, its clips are put in order, and it leaves as a file.

import {api} from "./api.js";
import {mayDelete, mayEdit} from "./boot.js";
import {button, h, isTyping, openDialog, openMenu} from "./dom.js";
import {jobs} from "./jobs.js";
import {Deeds} from "./list_deeds.js";
import {ListExport} from "./list_export.js";
import {ListModel} from "./list_model.js";
import {askClips} from "./list_pick.js";
import "./list_player.js";
import {ListRows} from "./list_rows.js";
import {askExportSettings, askWebhooks} from "./list_settings.js";
import {ListTrim} from "./list_trim.js";
import {stateMark, timeWords} from "./list_words.js";
import {askFacts, askRule} from "./lists_new.js";
import {attempt, toast} from "./toasts.js";

const LOOK_MS = 5000;
const RENDERING_MS = 1000;

class List extends HTMLElement {
  #stop = null;
  #timer = null;

  async connectedCallback() {
    this.className = "page list";
    this.may = mayEdit();
    const {signal} = this.#stop = new AbortController();
    this.model = new ListModel(Number(this.dataset.list));
    const there = await this.model.load().then(() => true, (error) => error);
    if (signal.aborted) return undefined;
    if (there !== true) return this.#lost(there);
    this.#build();
    this.#show();
    this.model.addEventListener("change", () => this.#show());
    this.model.addEventListener("refused", ({detail}) => toast(`Nothing was changed: ${detail.message}`, {problem: true}));
    document.addEventListener("keydown", (event) => this.#key(event), {signal});
    document.addEventListener("visibilitychange", () => document.hidden || this.#look(), {signal});
    jobs.addEventListener("ended", ({detail}) => detail.id === this.model.facts.job?.id && this.#look(), {signal});
    return this.#later();
  }

  disconnectedCallback() {
    clearTimeout(this.#timer);
    this.#stop.abort();
  }

  #build() {
    this.player = h("selects-list-player");
    this.rows = new ListRows({mayEdit: this.may});
    this.trim = new ListTrim({player: this.player, save: (id, window) => this.model.change(id, window)});
    this.deeds = new Deeds({model: this.model, rows: this.rows, trim: (id) => this.player.goTo(id, {play: false})});
    this.export = new ListExport({model: this.model, find: (id) => { this.rows.focus(id); this.player.goTo(id, {play: false}); }});
    this.name = h("h1", {class: "wrap"});
    this.state = h("span", {class: "list-state"});
    this.time = h("p", {class: "num list-time", "aria-live": "polite"});
    this.note = h("p", {class: "small muted list-about"});
    this.verdict = h("span", {class: "bar"});
    this.nothing = h("section", {class: "list-nothing"}, h("p", {class: "muted"}, "No clips yet. Add approved clips by hand, or let a rule pick the best."));
    const add = this.may ? h("div", {class: "bar"}, button("Add clips …", () => attempt(() => askClips(this.model)), {symbol: "plus"}), button("By rule …", () => attempt(() => askRule(this.model.facts, () => this.model.load())))) : null;
    const more = button("", (event) => this.#menu(event.currentTarget), {kind: "plain", symbol: "more", title: "More about this list", "aria-haspopup": "menu"});
    this.append(h("header", {class: "page-head"}, h("a", {class: "muted", href: "/lists"}, "Lists"), this.name, this.state, h("div", {class: "bar"}, this.verdict, this.may ? more : null)),
      h("div", {class: "list-area"}, h("div", {class: "list-shown"}, this.player, this.may ? this.trim.element : null), this.export.element,
        h("section", {class: "list-right", "aria-label": "Clips"}, h("div", {class: "list-right-head"}, h("div", {}, this.time, this.note), add), this.nothing, this.rows.element)));
    this.rows.addEventListener("play", ({detail}) => this.player.goTo(detail, {play: true}));
    this.rows.addEventListener("choose", ({detail}) => this.player.plays || this.player.goTo(detail, {play: false}));
    this.rows.addEventListener("move", ({detail}) => this.deeds.move(detail));
    this.rows.addEventListener("act", ({detail: {name, id, at}}) => (name === "menu" ? this.deeds.menu(id, at) : this.deeds.remove(this.rows.chosen.includes(id) ? this.rows.chosen : [id])));
    this.player.addEventListener("clip", ({detail}) => { this.rows.playing(detail.id); this.trim.show(detail); });
  }

  #show() {
    const {facts, entries} = this.model;
    document.title = `${facts.name} · Selects`;
    this.name.textContent = facts.name;
    this.state.replaceChildren(stateMark(facts));
    this.time.textContent = timeWords(facts);
    this.time.classList.toggle("over", Boolean(facts.target_s) && facts.total_s > facts.target_s + 0.5);
    this.note.textContent = facts.note;
    this.nothing.hidden = entries.length > 0;
    this.rows.element.hidden = this.player.hidden = !entries.length;
    this.rows.show(entries);
    this.player.show(entries);
    this.rows.playing(this.player.current?.id);
    this.trim.show(this.player.current);
    this.#showVerdict(facts, entries);
    if (!this.model.busy) this.export.show();
  }

  #showVerdict({state, blocked}, entries) {
    const draft = state === "draft", why = blocked ? "Some clips may not go out; each says why." : entries.length ? "" : "There is nothing in it yet.";
    if (!this.may) return;
    this.verdict.replaceChildren(draft ? button("Approve", () => this.#set(() => this.model.approve()), {kind: "main", disabled: Boolean(why), title: why || "It may go out as it is; the project's webhooks are told."})
      : button("Reopen", () => this.#set(() => api("POST", `${this.model.path}/reopen`, {})), {title: "Make it a draft again. Any change does that, too."}));
  }

  #set(act) {
    return attempt(() => this.model.set(act));
  }

  #menu(at) {
    openMenu(at, [
      {words: "Name, length, note …", run: () => askFacts(this.model.facts, (facts) => this.model.took(facts))},
      ...(mayDelete() ? [{words: "Where the editor has the films …", run: () => askExportSettings(() => this.export.show({always: true}))}, {words: "Who is told of approvals …", run: askWebhooks}] : []),
      {words: "Delete the list …", danger: true, run: () => this.#askDelete()},
    ]);
  }

  #askDelete() {
    openDialog({
      title: `Delete “${this.model.facts.name}”?`, confirm: "Delete", danger: true, body: [h("p", {}, "The list goes, with what was exported and rendered of it. Films, clips and decisions stay.")],
      ask: async () => { await api("DELETE", this.model.path); document.querySelector("selects-app").go("/lists"); },
    });
  }

  #key(event) {
    if (isTyping(event) || document.querySelector(".menu")) return;
    const {player} = this, trims = this.may && player.current ? {"[": ["in", -1], "{": ["in", -1], "]": ["out", 1], "}": ["out", 1]}[event.key] : null;
    const run = trims ? () => this.trim.step(...trims, event.shiftKey) : {" ": event.target.closest("button, a, summary") ? null : () => player.toggle(), n: () => player.step(1), p: () => player.step(-1), f: () => player.full(), m: () => player.mute()}[event.key];
    if (!run) return;
    event.preventDefault();
    run();
  }

  #later() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#look(), this.model.facts.job && ["queued", "running", "cancelling"].includes(this.model.facts.job.state) ? RENDERING_MS : LOOK_MS);
  }

  async #look() {
    if (!document.hidden && !document.querySelector("dialog[open]")) {
      await this.model.look().catch(() => undefined);
      if (this.isConnected && this.model.facts) this.export.show();
    }
    if (this.isConnected) this.#later();
  }

  #lost(error) {
    document.title = "Not found · Selects";
    this.replaceChildren(h("section", {class: "empty"}, h("h1", {}, "This list cannot be shown."), h("p", {class: "muted"}, error.message), h("a", {class: "button main", href: "/lists"}, "To the lists")));
  }
}

customElements.define("selects-list", List);
