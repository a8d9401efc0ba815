// Ways to a new list: an empty one, one that a rule fills, one out of an edit that was made elsewhere.

import {api, getAll, post, withQuery} from "./api.js";
import {boot, role} from "./boot.js";
import {h, openDialog} from "./dom.js";
import {RATES, secondsOf} from "./list_words.js";
import {toast} from "./toasts.js";
import {clock, grouped, many} from "./words.js";

const WAIT_MS = 250;
const EDITS = ".edl,.fcpxml,.xml,.otio,.json";

const field = (words, control) => h("label", {class: "field stacked"}, words, control);
const input = (name, more = {}) => h("input", {class: "input", name, autocomplete: "off", ...more});
const nameField = (value = "") => field("Name", input("name", {required: true, maxLength: 200, autofocus: true, value}));
const lengthField = (words, name, value) => field(words, input(name, {placeholder: "minutes, or m:ss", inputMode: "numeric", value: value ? clock(value) : ""}));
export const rateField = (value = "") => field("Rate of the edit", h("select", {class: "input", name: "rate"}, RATES.map(([name, words]) => h("option", {value: name, selected: name === value}, words))));

export function askNew(done) {
  openDialog({
    title: "New list", confirm: "Make it",
    body: [nameField(), lengthField("Length that it is meant to have, if any", "target"), rateField()],
    ask: async (form) => done(await post("/api/lists", {project: boot.project, name: form.get("name").trim(), target_s: secondsOf(form.get("target")), rate: form.get("rate")})),
  });
}

export function askFacts(list, done) {
  openDialog({
    title: "About this list", confirm: "Save",
    body: [nameField(list.name), lengthField("Length that it is meant to have, if any", "target", list.target_s), rateField(list.rate),
      field("Note", h("textarea", {class: "input", name: "note", rows: 3, maxLength: 5000}, list.note))],
    ask: async (form) => done(await api("PATCH", `/api/lists/${list.id}`, {name: form.get("name").trim(), note: form.get("note"), target_s: secondsOf(form.get("target")), rate: form.get("rate")})),
  });
}

export async function askByRule(done) {
  const rule = await ruleFields({count: 8, per_scene: 2, total_s: 360});
  openDialog({
    title: "A list by rule", confirm: "Make it", body: [nameField("The best"), ...rule.body],
    ask: async (form) => done((await post("/api/lists/by-rule", {project: boot.project, name: form.get("name").trim(), rule: rule.read(form)})).clip_list),
  });
  rule.preview((asked) => post("/api/lists/by-rule/preview", {project: boot.project, rule: asked}));
}

// Runs the rule of a list again, or another; says before what that changes.
export async function askRule(list, done) {
  const rule = await ruleFields(list.rule ?? {count: 8, per_scene: 2, total_s: list.target_s});
  let seen = null;
  openDialog({
    title: list.rule ? "Run the rule again" : "Fill it by a rule", confirm: "Run it", body: rule.body,
    ask: async (form) => {
      const headers = seen?.version ? {"If-Match": `"${seen.version}"`} : {};
      done(await api("POST", `/api/lists/${list.id}/rule/run`, {rule: rule.read(form)}, {headers}));
    },
  });
  rule.preview(async (asked) => { seen = await post(`/api/lists/${list.id}/rule/preview`, {rule: asked}); return seen; });
}

async function ruleFields(given) {
  const films = await getAll(withQuery("/api/movies", {project: boot.project})).catch(() => []);
  const chosen = new Set(given.movies ?? []), said = h("div", {class: "small muted lists-preview", "aria-live": "polite"});
  const body = [
    h("div", {class: "bar"}, field("Best clips at most", input("count", {type: "number", min: 1, max: 500, value: given.count ?? 8, required: true})),
      field("Of one scene", input("per_scene", {type: "number", min: 1, max: 500, placeholder: "any", value: given.per_scene ?? ""})),
      field("Of one film", input("per_film", {type: "number", min: 1, max: 500, placeholder: "any", value: given.per_film ?? ""})),
      lengthField("Together at most", "total", given.total_s),
      field("Score at least", input("min_score", {type: "number", min: 0, max: 1, step: 0.05, placeholder: "any", value: given.min_score ?? ""})),
      field("Order", h("select", {class: "input", name: "order"}, h("option", {value: "score"}, "best first"), h("option", {value: "film", selected: given.order === "film"}, "as in the films")))),
    films.length > 1 ? h("details", {open: chosen.size > 0}, h("summary", {}, "Only of these films"), h("div", {class: "lists-films"},
      films.map((film) => h("label", {class: "lists-film"}, h("input", {type: "checkbox", name: "movies", value: film.id, checked: chosen.has(film.id)}), h("span", {}, film.title))))) : null,
    said,
  ].filter(Boolean);
  const number = (form, name) => (form.get(name) ? Number(form.get(name)) : null);
  const read = (form) => ({...kept(given), movies: form.getAll("movies").map(Number), count: number(form, "count") ?? 8, per_scene: number(form, "per_scene"), per_film: number(form, "per_film"),
    total_s: secondsOf(form.get("total")), min_score: number(form, "min_score"), order: form.get("order")});
  return {body, read, preview: (look) => previewing(said, read, look)};
}

// What the dialog does not show stays as it was.
const kept = ({genres = [], min_s = null, max_s = null, apart_s = 0}) => ({genres, min_s, max_s, apart_s});

function previewing(said, read, look) {
  const form = said.closest("form");
  let round = 0, timer = null;
  const show = async () => {
    const mine = ++round;
    try {
      const found = await look(read(new FormData(form)));
      if (mine === round) said.replaceChildren(...previewWords(found));
    } catch (error) {
      if (mine === round) said.replaceChildren(h("p", {class: "bad"}, error.message));
    }
  };
  form.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(show, WAIT_MS); });
  show();
}

function previewWords({add, remove, keep, clips, total_s: total, left_out: left}) {
  const change = [add.length && `${grouped(add.length)} come in`, remove.length && `${grouped(remove.length)} go`, keep && `${grouped(keep)} stay`].filter(Boolean).join(", ");
  const picked = add.slice(0, 8).map((clip) => h("li", {class: "num"}, `${clip.movie_title}, ${clock(clip.start_s)} – ${clock(clip.end_s)}${clip.score === null ? "" : `, ${clip.score.toFixed(2)}`}`));
  return [h("p", {class: "num"}, clips ? `${many(clips, "clip")}, ${clock(total)}${change ? `: ${change}` : ""}.` : "No approved clip fits. Approve clips on the page Review first, or ask for less."),
    picked.length ? h("ul", {class: "lists-picked"}, picked, add.length > picked.length ? h("li", {}, `and ${grouped(add.length - picked.length)} more`) : null) : null,
    left.length ? h("p", {}, `Left out: ${left.map(({why, clips: count}) => `${many(count, "clip")}, ${why.replace(/\.$/, "")}`).join("; ")}.`) : null].filter(Boolean);
}

export function askImport(done) {
  openDialog({
    title: "Import an edit", confirm: "Read it",
    body: [field("EDL, FCPXML, FCP7 XML, OTIO, or a list of Selects (JSON)", h("input", {type: "file", name: "file", accept: EDITS, required: true, class: "input"})),
      field("Name, if not the edit's own", input("name", {maxLength: 200})),
      h("label", {class: "lists-film"}, h("input", {type: "checkbox", name: "approve", value: "true", disabled: role() === "viewer"}), h("span", {}, "Its clips are approved by me: they count as my decisions, and teach the models"))],
    ask: async (form) => {
      form.set("project", boot.project);
      if (!form.get("name").trim()) form.delete("name");
      const found = await api("POST", "/api/lists/import", form);
      const lost = found.clips.filter(({problem}) => problem);
      toast(`${grouped(found.added)} of ${many(found.read, "clip")} are in the list${found.waiting ? `; ${grouped(found.waiting)} wait for somebody to approve them` : ""}.`);
      if (lost.length) toast(`${many(lost.length, "clip")} could not be taken: ${lost.slice(0, 3).map(({number, problem}) => `${number}: ${problem}`).join(" ")}`, {problem: true});
      done(found.clip_list);
    },
  });
}
