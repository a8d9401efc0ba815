// What a person does with clips of a list, each with a way back.

import {openDialog, openMenu, h} from "./dom.js";
import {toast} from "./toasts.js";
import {many} from "./words.js";

const UNDO_MS = 10_000;

export class Deeds {
  constructor({model, rows, trim}) {
    Object.assign(this, {model, rows, trim});
  }

  async move({ids, before}) {
    const order = this.model.entries.map((each) => each.id), after = order.slice(order.indexOf(ids.at(-1)) + 1).find((id) => !ids.includes(id)) ?? null;
    const contiguous = order.slice(order.indexOf(ids[0]), order.indexOf(ids[0]) + ids.length).every((id) => ids.includes(id));
    const sent = await this.model.move(ids, before);
    if (sent && contiguous) this.#told(`${many(ids.length, "clip")} moved.`, () => this.model.move(ids, after));
  }

  async remove(ids) {
    const gone = ids.map((id) => this.model.entry(id)).filter(Boolean), order = this.model.entries.map((each) => each.id);
    const after = order.slice(order.indexOf(ids.at(-1)) + 1).find((id) => !ids.includes(id)) ?? null;
    if (!(await this.model.remove(ids))) return;
    this.#told(`${many(gone.length, "clip")} taken out.`, async () => { for (const entry of gone) await this.model.restore(entry, after); });
  }

  menu(id, at) {
    const entry = this.model.entry(id), ids = this.rows.chosen.includes(id) ? this.rows.chosen : [id], order = this.model.entries.map((each) => each.id);
    const rest = order.filter((each) => !ids.includes(each)), several = ids.length > 1 ? ` (${ids.length})` : "";
    openMenu(at, [
      {words: "Trim", run: () => this.trim(id)},
      {words: "Name and note …", run: () => this.askWords(entry)},
      {words: "Rights and embargo …", run: () => this.askRights(entry)},
      {words: `To the top${several}`, run: () => this.move({ids, before: rest[0] ?? null})},
      {words: `To the end${several}`, run: () => this.move({ids, before: null})},
      ...(entry.movie_id ? [{words: "Open the film there", run: () => document.querySelector("selects-app").go(`/movies/${entry.movie_id}?t=${entry.start_s.toFixed(3)}`)}] : []),
      {words: `Take out${several}`, danger: true, run: () => this.remove(ids)},
    ]);
  }

  askWords(entry) {
    openDialog({
      title: "Name and note", confirm: "Save",
      body: [h("label", {class: "field stacked"}, "Name, as exports call it; empty: film and time", h("input", {class: "input", name: "name", maxLength: 200, value: entry.named ? entry.name : "", autofocus: true})),
        h("label", {class: "field stacked"}, "Note to the editor", h("textarea", {class: "input", name: "note", rows: 4, maxLength: 5000}, entry.note))],
      ask: async (form) => { this.model.change(entry.id, {name: form.get("name").trim(), note: form.get("note")}); },
    });
  }

  askRights(entry) {
    const choice = (value, words) => h("label", {class: "lists-film"}, h("input", {type: "radio", name: "rights", value, checked: entry.rights === value}), h("span", {}, words));
    openDialog({
      title: "Rights and embargo", confirm: "Save",
      body: [h("fieldset", {class: "lists-choices"}, h("legend", {class: "sr"}, "Rights"), choice("", "Nothing said"), choice("cleared", "Cleared"), choice("blocked", "Blocked: it may not go out")),
        h("label", {class: "field stacked"}, "Why, or by whom", h("input", {class: "input", name: "rights_note", maxLength: 5000, value: entry.rights_note})),
        h("label", {class: "field stacked"}, "Not to go out before", h("input", {class: "input", name: "embargo", type: "date", value: entry.embargo_until ?? ""})),
        h("p", {class: "small muted"}, "This is about the clip in this list. What is said of the whole film counts for each of its clips, too.")],
      ask: async (form) => { this.model.change(entry.id, {rights: form.get("rights") ?? "", rights_note: form.get("rights_note"), embargo_until: form.get("embargo") || null}); },
    });
  }

  #told(words, undo) {
    this.last?.remove();
    this.last = toast(words, {actions: [{words: "Undo", run: undo}], shown_ms: UNDO_MS});
  }
}
