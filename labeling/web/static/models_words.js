// What is said of models, their figures, and runs.

import {h} from "./dom.js";

export const PRIOR = "prior";
export const METRICS = {auc: "AUC", ap: "AP", ndcg5: "nDCG@5", recall: "Recall@10", brier: "Brier", ece: "ECE", corrected: "Corrections put right", standing: "What stands"};
export const CONTENDERS = {
  challenger: "this model", champion: "the champion", mlp: "network", linear: "linear model", boosting: "gradient boosting", prior: "documented prior", chance: "chance",
  frozen: "plain embedding", lot: "sides drawn by lot",
};

const LIKENESS = {"metric/scene": "Likeness of places", "metric/character": "Likeness of people"};
export const isMetric = (slot) => slot in LIKENESS;
export const slotWords = (slot) => LIKENESS[slot] ?? (slot === "viral" ? "Viral" : `Compelling${slot.includes("/") ? ` · ${slot.split("/")[1]}` : ""}`);
export const versionLink = (version) => h("a", {class: "link wrap", href: `/models/${version}`}, version);
// Where a genre has no model of its own, its films are scored as all others.
const WITHOUT = (slot) => (isMetric(slot) ? "the plain embedding" : slot.includes("/") ? "what scores films of other genres" : "the documented prior");
export const named = (version, slot = "") => version ?? WITHOUT(slot);

export const decimal = (value, digits = 2) => value.toFixed(digits).replace("-", "−");
export const share = (value) => `${Math.round(100 * value)} %`;
export const points = (value) => `${value > 0 ? "+" : ""}${Math.round(100 * value)}`.replace("-", "−");

export function between(figure, words = decimal) {
  return figure ? `${words(figure.value)} (${words(figure.low)} to ${words(figure.high)})` : "–";
}

export function moment(text) {
  return new Date(text).toLocaleString(undefined, {day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit"});
}

export const day = (text) => new Date(text).toLocaleDateString(undefined, {day: "numeric", month: "short"});

export function stateWords(model) {
  if (model.live) return h("strong", {class: "good"}, "live");
  if (model.state === "promoted") return "was live";
  if (model.state !== "refused") return "challenger";
  return h("span", {}, h("span", {class: "bad"}, "refused"), model.kept ? "" : ", files removed");
}

export function gateWords(model) {
  if (model.reasons.length) return model.reasons.join(" ");
  return model.state === "refused" ? "Its card says why." : "The gate let it pass.";
}

const TRIGGERS = {asked: "asked for", cron: "by the clock", labels: "enough was new"};
export const triggerWords = (run) => [TRIGGERS[run.trigger] ?? run.trigger, run.trigger === "asked" && run.asked_by ? `by ${run.asked_by}` : ""].filter(Boolean).join(" ");
