// Training runs: those at work with bar and time left, what became of the others, and when the next one is due.

import {button, h, progressBar, setProgress} from "./dom.js";
import {askCancel} from "./models_act.js";
import {decimal, moment, slotWords, triggerWords, versionLink} from "./models_words.js";
import {table} from "./table.js";
import {left, many, percent} from "./words.js";

export const OPEN = ["queued", "running"];
const STAGES = {snapshot: "freezing the labels", train: "starting to train", register: "entering the model", promote: "asking the gate", read: "reading the labels", fold: "learning from parts of the films", fit: "learning from all", evaluate: "proving it on films not seen", gate: "asking the gate"};

// Bars that move without being made anew, so that focus and what is read out stay where they are.
export class OpenRuns {
  element = h("ul", {class: "models-runs"});
  #rows = new Map();

  show(runs, {admin, done}) {
    const open = runs.filter((run) => OPEN.includes(run.state)), ids = new Set(open.map((run) => run.id));
    for (const [id, row] of this.#rows) if (!ids.has(id)) { row.item.remove(); this.#rows.delete(id); }
    for (const run of open) {
      const row = this.#rows.get(run.id) ?? this.#add(run, admin, done);
      row.words.textContent = runWords(run);
      setProgress(row.bar, run.fraction);
    }
    this.element.hidden = !open.length;
  }

  #add(run, admin, done) {
    const words = h("p", {class: "small muted num"}), bar = progressBar(run.fraction, `Training ${slotWords(run.slot)}`);
    const item = h("li", {class: "models-run"}, h("p", {}, `${slotWords(run.slot)}, ${triggerWords(run)}`), bar, words,
      admin ? button("Cancel …", () => askCancel(run, done), {"aria-label": `Cancel the training of ${slotWords(run.slot)} …`}) : null);
    this.element.append(item);
    this.#rows.set(run.id, {item, words, bar});
    return this.#rows.get(run.id);
  }
}

function runWords(run) {
  if (run.state === "queued") return "waiting for a trainer";
  return [percent(run.fraction), STAGES[run.stage] ?? (run.stage || "starting"), run.epochs ? `epoch ${run.epoch} of ${run.epochs}` : "",
    run.loss === null ? "" : `loss ${decimal(run.loss, 3)}`, left(run.left_s)].filter(Boolean).join(" · ");
}

export function nextRun({cron, next_at: at, running, labels, labels_wanted: wanted, corrections}) {
  const clock = at ? `Next by the clock: ${moment(at)} (${cron}).` : cron ? "By the clock, as soon as a trainer has started." : "Never by the clock.";
  const count = wanted ? `Or when ${many(wanted, "label")} are new: ${labels.toLocaleString("en")} of ${wanted.toLocaleString("en")} since the last run.` : `${many(labels, "label")} new since the last run; however many, none starts for that.`;
  return h("div", {class: "models-next"}, h("p", {}, clock), h("p", {}, count), wanted ? progressBar(labels / wanted, "New labels since the last run") : null,
    corrections.filter((each) => each.standing).map(({kind, new: fresh, wanted: enough, standing, least}) => h("p", {class: "small muted"},
      `Corrections of ${kind === "scene" ? "places" : "people"}: ${standing.toLocaleString("en")} of ${least} that are needed, ${fresh.toLocaleString("en")} since the last run${enough ? `; ${enough} start one` : ""}.`)),
    running ? null : h("p", {class: "bad"}, "No trainer is at work: start selects trainer (or selects up), or runs will wait."));
}

export function endedRuns(runs, most) {
  const ended = runs.filter((run) => !OPEN.includes(run.state)).slice(0, most);
  if (!ended.length) return null;
  const kinds = {done: "good", failed: "bad", refused: "bad"};
  return table("Runs that have ended", ["When", "", "What came of it"], ended.map((run) => [
    h("div", {}, h("p", {class: "num"}, moment(run.finished_at ?? run.created_at)), h("p", {class: "small muted"}, `${slotWords(run.slot)}, ${triggerWords(run)}`)),
    h("span", {class: kinds[run.state] ?? "muted"}, run.state),
    h("div", {class: "models-gate wrap"}, run.version ? h("p", {}, versionLink(run.version)) : null, h("p", {class: "small"}, [run.problem, run.note].filter(Boolean).join(" ") || (run.version ? "" : "–")))]));
}
