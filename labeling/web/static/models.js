// The models of a project: who is live, whether that is better than chance here, versions, runs, and when the next is due.

import {get, getAll, withQuery} from "./api.js";
import {boot, role} from "./boot.js";
import {button, h, progressBar} from "./dom.js";
import {askPromote, askTrain, judgedWords, missing} from "./models_act.js";
import {duelOf, historyOf, liveSlots, proofOf} from "./models_live.js";
import {OPEN, OpenRuns, endedRuns, nextRun} from "./models_runs.js";
import {between, gateWords, isMetric, moment, slotWords, stateWords, versionLink} from "./models_words.js";
import {table} from "./table.js";
import {attempt} from "./toasts.js";
import {many} from "./words.js";

const BUSY_MS = 1500;
const IDLE_MS = 10_000;
const NEWEST_RUNS = 50;
const SHOWN_RUNS = 8;
const SHOWN_VERSIONS = 25;

class Models extends HTMLElement {
  #timer = null;
  #seen = "";
  #all = false;
  #open = new OpenRuns();

  connectedCallback() {
    this.className = "page models";
    document.title = "Models · Selects";
    this.admin = role() === "admin";
    if (!boot.project) return this.replaceChildren(h("section", {class: "empty"}, h("p", {class: "muted"}, "You are a member of no project yet; ask somebody to invite you.")));
    return this.#load();
  }

  disconnectedCallback() {
    clearTimeout(this.#timer);
  }

  #of = (path, more = {}) => withQuery(path, {project: boot.project, ...more});

  #load = async () => {
    const found = await attempt(async () => {
      const [live, history, models, runs, schedule, gathered, proof, duel] = await Promise.all([
        getAll(this.#of("/api/models/live")), getAll(this.#of("/api/models/history")), getAll(this.#of("/api/models")),
        get(this.#of("/api/training/runs", {limit: NEWEST_RUNS})), get(this.#of("/api/training/schedule")),
        get(this.#of("/api/training/labels")), get(this.#of("/api/training/proof")),
        get(this.#of("/api/agreement/duel")).catch((error) => { if (error.status !== 404) throw error; return null; }),
      ]);
      return {live, history, models, runs: runs.items, schedule, gathered, proof, duel};
    });
    if (!found || !this.isConnected) return;
    this.found = found;
    this.#show();
    this.#again();
  };

  #again() {
    clearTimeout(this.#timer);
    const busy = this.found.runs.some((run) => OPEN.includes(run.state));
    this.#timer = setTimeout(() => this.#look(), busy ? BUSY_MS : IDLE_MS);
  }

  // Only what moves is asked again; the rest when a run has ended or somebody has changed what is live.
  async #look() {
    try {
      if (!document.hidden && !document.querySelector("dialog[open]")) {
        const [runs, live] = await Promise.all([get(this.#of("/api/training/runs", {limit: NEWEST_RUNS})), getAll(this.#of("/api/models/live"))]);
        this.found.runs = runs.items;
        if (this.isConnected && stamp(runs.items, live) !== this.#seen) return this.#load();
        this.#open.show(runs.items, this.#may);
      }
    } catch {
      // A server that starts again is asked again.
    }
    if (this.isConnected) this.#again();
  }

  get #may() {
    return {admin: this.admin, done: this.#load};
  }

  #show() {
    const {live, history, models, runs, schedule, gathered, proof, duel} = this.found;
    this.#seen = stamp(runs, live);
    this.#open.show(runs, this.#may);
    const opened = this.querySelector("details")?.open;
    const train = this.admin ? button("Train …", () => askTrain(this.found, this.#load), {kind: "bar"}) : null;
    this.replaceChildren(h("header", {class: "page-head"}, h("h1", {}, "Models"), train),
      ...(models.length || history.length ? [] : [empty(gathered)]),
      liveSlots({live, history}, this.#may), proofOf(proof, live), ...[duelOf(duel)].filter(Boolean),
      h("section", {}, h("h2", {}, "Training"), nextRun(schedule), this.#open.element, ...[endedRuns(runs, SHOWN_RUNS)].filter(Boolean)),
      ...(models.length ? [this.#versions(models, live)] : []), ...[historyOf(history)].filter(Boolean));
    const details = this.querySelector("details");
    if (details) details.open = Boolean(opened);
  }

  #versions(models, live) {
    const shown = this.#all ? models : models.slice(0, SHOWN_VERSIONS);
    const rows = shown.map((model) => [
      two(versionLink(model.version), `${slotWords(model.slot)}, made ${moment(model.created_at)}`, learntFrom(model)),
      h("div", {class: "models-gate"}, h("p", {}, stateWords(model)), h("p", {class: "small wrap"}, gateWords(model))),
      isMetric(model.slot) ? two(`Corrections ${between(model.figures.corrected)}`, `What stands ${between(model.figures.standing)}`)
        : two(`AUC ${between(model.figures.auc)}`, `AP ${between(model.figures.ap)}`), this.#promoter(model, live)]);
    const more = models.length > shown.length ? button(`All ${models.length.toLocaleString("en")} versions`, () => { this.#all = true; this.#show(); }) : null;
    return h("section", {}, h("h2", {}, "Versions"),
      table("The newest first; AUC and average precision (AP) with 95 % intervals", ["Version", "State, and what the gate says", "On films that it had not seen", ""], rows), more);
  }

  #promoter(model, live) {
    if (!this.admin || model.live || model.state === "refused") return null;
    return button("Promote …", () => askPromote(model, live.find((each) => each.slot === model.slot), this.#load), {"aria-label": `Promote ${model.version} …`});
  }
}

customElements.define("selects-models", Models);

const two = (first, ...rest) => h("div", {class: "num"}, h("p", {}, first), rest.map((each) => h("p", {class: "small muted"}, each)));

function learntFrom({slot, labels, films, snapshot}) {
  return [labels === null ? "" : `${many(labels, isMetric(slot) ? "pair" : "label")} of ${many(films ?? 0, "film")}`, snapshot ? `snapshot ${snapshot.slice(0, 8)}` : ""].filter(Boolean).join(", ");
}

// What the page must be read anew for: a run that began or ended, a slot that changed.
function stamp(runs, live) {
  return JSON.stringify([runs.map((run) => [run.id, run.state]), live.map((each) => [each.slot, each.generation, each.serving, each.problem])]);
}

function empty(gathered) {
  const lacking = missing(gathered), {approved, rejected, films, labels_wanted: labels, each_wanted: each, films_wanted: wanted} = gathered;
  const need = (words, have, of) => h("li", {}, h("p", {class: "num"}, `${words}: ${have.toLocaleString("en")} of ${of}`), progressBar(have / of, words));
  return h("section", {class: "models-empty"}, h("h2", {}, "No model has been trained yet"),
    h("p", {class: "muted"}, "Clips are ranked by documented signals, which have learnt nothing. A model learns from what curators approve and reject here, is proved on films that it has not seen, and goes live only where it is better."),
    h("p", {}, `There are ${judgedWords(gathered)}. ${lacking.length ? `Missing before the gate lets a model pass: ${lacking.join(", ")}.` : "That is enough for a first model."}`),
    h("ul", {class: "models-needs"}, need("Judged clips", approved + rejected, labels), need("Approvals", approved, each), need("Rejections", rejected, each), need("Films", films, wanted)),
    h("div", {class: "bar"}, h("a", {class: "button", href: "/review"}, "To the review")));
}
