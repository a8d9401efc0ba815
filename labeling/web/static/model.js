// The card of one model: what it is worth beside its rivals, what it learnt from, how, and what the gate said.

import {get, getAll, withQuery} from "./api.js";
import {role} from "./boot.js";
import {button, h} from "./dom.js";
import {askPromote} from "./models_act.js";
import {epochsPlot, learningPlot, reliabilityPlot} from "./model_plots.js";
import {CONTENDERS, METRICS, decimal, isMetric, moment, slotWords, stateWords} from "./models_words.js";
import {bars} from "./plots.js";
import {table} from "./table.js";
import {attempt} from "./toasts.js";
import {many} from "./words.js";

const SLICES = {films: "films that it had not seen", holdout: "the frozen films", random: "what was lately asked by chance"};

class ModelCard extends HTMLElement {
  connectedCallback() {
    this.className = "page models model-card";
    this.version = this.dataset.version;
    document.title = `${this.version} · Selects`;
    return this.#load();
  }

  #load = async () => {
    const found = await attempt(async () => {
      const model = await get(`/api/models/${this.version}`);
      return {model, live: await getAll(withQuery("/api/models/live", {project: model.project_id}))};
    });
    if (!this.isConnected) return;
    if (found) this.#show(found.model, found.live.find((each) => each.slot === found.model.slot));
    else this.replaceChildren(h("section", {class: "empty"}, h("h1", {class: "wrap"}, `There is no model ${this.version} here.`), h("a", {class: "button main", href: "/models"}, "To the models")));
  };

  #show(model, live) {
    const {card} = model, may = role() === "admin" && !model.live && model.state !== "refused";
    this.replaceChildren(h("header", {class: "page-head"}, h("h1", {class: "wrap"}, model.version), h("a", {class: "button bar", href: "/models"}, "All models"),
      may ? button("Promote …", () => askPromote(model, live, this.#load), {kind: "main"}) : null),
    h("p", {class: "model-summary wrap"}, model.summary || "Its card has no summary."),
    ...remarks(card.remarks), facts(model),
    ...[gate(card.gate), figures(card)].filter(Boolean),
    h("div", {class: "model-plots"}, ...[learningPlot(card.curves?.learning), reliabilityPlot(card.reliability), epochsPlot(card.curves?.epochs)].filter(Boolean)),
    ...[labels(card.labels), split(card.split), settings(card.settings)].filter(Boolean));
  }
}

customElements.define("selects-model", ModelCard);

function remarks(said) {
  return Array.isArray(said) && said.length ? [h("ul", {class: "model-remarks"}, said.map((each) => h("li", {class: "wrap muted"}, each)))] : [];
}

function facts(model) {
  const {card} = model, pairs = [["State", stateWords(model)], [isMetric(model.slot) ? "Decides" : "Score", slotWords(model.slot)], ["Kind", model.kind === "mlp" ? "network" : model.kind], ["Made", `${moment(model.created_at)} by ${model.created_by || "–"}`],
    ["Features", model.features], ["Snapshot", model.snapshot || "–"], ["Seed", card.seed ?? "–"], ["Temperature", card.temperature?.toFixed?.(3) ?? "–"],
    ["Trained", card.seconds === undefined ? "–" : `${Math.round(card.seconds)} s on ${card.device}`], ["sha256", h("code", {class: "wrap"}, model.sha256)]];
  return h("dl", {class: "model-facts"}, pairs.map(([name, value]) => h("div", {}, h("dt", {class: "small muted"}, name), h("dd", {class: "wrap"}, value))));
}

function gate(gate) {
  if (!gate?.checks) return null;
  return h("section", {}, h("h2", {}, gate.passed ? "The gate let it pass" : "The gate refused it"),
    table("What was asked", ["Check", "", "What was found"], gate.checks.map((check) => [check.name, h("span", {class: check.passed ? "good" : "bad"}, check.passed ? "passed" : "not passed"), h("span", {class: "models-gate wrap"}, check.said)]), {unseen: true}));
}

// All contenders side by side; where several sets of films were judged by, one is chosen.
function figures(card) {
  const sets = Object.entries(card.slices ?? {}), place = h("div");
  if (card.figures) {
    const at = sets.findIndex(([name]) => name === card.figures_of);
    const first = [card.figures_of ?? "", {...(sets[at]?.[1] ?? {}), figures: card.figures}];
    if (at < 0) sets.unshift(first);
    else sets.unshift(...sets.splice(at, 1).map(() => first));
  }
  if (!sets.length) return null;
  const choice = h("select", {class: "input model-slice"}, sets.map(([name, each], at) => h("option", {value: at}, each.about ?? SLICES[name] ?? (name || "films that it had not seen"))));
  const show = () => {
    const [name, {figures: of, about}] = sets[choice.value];
    const used = Object.keys(METRICS).filter((metric) => Object.values(of).some((each) => each[metric]));
    const sample = of.challenger?.auc, order = Object.keys(CONTENDERS).filter((each) => of[each]), others = Object.keys(of).filter((each) => !order.includes(each));
    const where = about ?? SLICES[name] ?? "films that it had not seen";
    const said = h("p", {class: "small muted"}, `Below each figure its 95 % interval, films resampled.${used.includes("ece") ? " Brier and ECE: less is better." : ""}`);
    place.replaceChildren(table(`On ${where}${sample ? `, ${many(sample.n, "label")} of ${many(sample.films, "film")}` : ""}`,
      ["", ...used.map((metric) => METRICS[metric])], [...order, ...others].map((each) => [h(each === "challenger" ? "strong" : "span", {}, CONTENDERS[each] ?? each), ...used.map((metric) => stacked(of[each][metric]))]), {figures: true}), said);
  };
  choice.addEventListener("change", show);
  show();
  return h("section", {}, h("h2", {}, "Beside its rivals"), sets.length > 1 ? h("label", {class: "field"}, "Judged by", choice) : null, place);
}

function stacked(figure) {
  return figure ? h("div", {}, h("p", {}, decimal(figure.value)), h("p", {class: "small muted"}, `${decimal(figure.low)} to ${decimal(figure.high)}`)) : "–";
}

function labels(labels) {
  if (!labels) return null;
  const parts = (label, counts) => {
    const rows = Object.entries(counts ?? {}), most = Math.max(1, ...rows.map(([, count]) => count));
    return rows.length ? bars(label, rows.map(([name, count]) => ({name, value: count / most, words: count.toLocaleString("en")}))) : null;
  };
  const {total = 0, approved = 0, rejected = 0, films = 0, corrections} = labels;
  if (corrections !== undefined) {
    return h("section", {}, h("h2", {}, "What it learnt from"), h("p", {class: "num"}, `${many(corrections, "correction")} of ${many(films, "film")}: ${many(total, "pair")}; and ${many(labels.standing, "comparison")} of what stands.`));
  }
  return h("section", {}, h("h2", {}, "What it learnt from"), h("p", {class: "num"}, `${many(total, "label")} of ${many(films, "film")}: ${approved.toLocaleString("en")} approved, ${rejected.toLocaleString("en")} rejected.`),
    h("div", {class: "model-plots"}, parts("By source", labels.by_source), parts("By the strategy that asked", labels.by_strategy)));
}

function split(split) {
  if (!split) return null;
  const {method = "", train_films: train = [], holdout_films: held = []} = split;
  return h("section", {}, h("h2", {}, "Who learnt and who examined"), h("p", {class: "wrap"}, `${method ? `${method[0].toUpperCase()}${method.slice(1)}. ` : ""}${many(train.length, "film")} to learn from, ${held.length ? `${many(held.length, "film")} frozen to be proved on; no film is in both` : "none frozen: every film examined those that had learnt from the others"}.`),
    train.length ? h("details", {class: "models-more"}, h("summary", {}, "Films"), list("To learn from", train), held.length ? list("Frozen", held) : null) : null);
}

function list(name, films) {
  return h("div", {}, h("p", {class: "small muted"}, name), h("ul", {class: "model-films small"}, films.map((film) => h("li", {class: "wrap"}, film))));
}

function settings(settings) {
  const rows = Object.entries(settings ?? {});
  if (!rows.length) return null;
  const plain = (value) => (value !== null && typeof value === "object" ? JSON.stringify(value) : String(value));
  return h("details", {class: "models-more"}, h("summary", {}, "Settings of the training"), table("Settings", ["Setting", "Value"], rows.map(([name, value]) => [name.replaceAll("_", " "), h("span", {class: "models-gate wrap"}, plain(value))]), {unseen: true}));
}
