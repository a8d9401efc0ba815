// The plots of a card: more labels, calibration, epochs. Each is left out where the card has nothing to draw.

import {h} from "./dom.js";
import {between, decimal} from "./models_words.js";
import {linePlot, ticks} from "./plots.js";
import {many} from "./words.js";

const titled = (title, plot, said) => h("section", {}, h("h2", {}, title), plot, h("p", {class: "small muted"}, said));
const figureOf = ({auc, low, high}) => ({value: auc, low, high});

export function learningPlot(steps) {
  const known = (Array.isArray(steps) ? steps : []).filter((step) => Number.isFinite(step.auc));
  if (known.length < 2) return null;
  const most = Math.max(...known.map((step) => step.labels)), least = Math.min(0.5, ...known.map((step) => step.low ?? step.auc)), from = Math.floor(least * 4) / 4;
  const last = known.at(-1);
  return titled("With more labels", linePlot(`AUC with ${many(known[0].labels, "label")} ${between(figureOf(known[0]))}, with ${many(last.labels, "label")} ${between(figureOf(last))}.`, {
    x: {min: 0, max: most, ticks: ticks(0, most, 5), name: "labels learnt from"}, y: {min: from, max: 1, ticks: ticks(from, 1, 4, (value) => decimal(value))},
    series: [{name: "AUC", kind: "a", points: known.map((step) => ({x: step.labels, y: step.auc, low: step.low, high: step.high, title: `${many(step.labels, "label")}: AUC ${between(figureOf(step))}`}))}],
    level: {y: 0.5, name: "chance"}}), "AUC on films not seen when fewer are learnt from, with 95 % interval. A line that still rises says that more labels will help.");
}

export function reliabilityPlot(bins) {
  const known = Array.isArray(bins) ? bins : [];
  if (!known.length) return null;
  const unit = {min: 0, max: 1, ticks: ticks(0, 1, 4, (value) => decimal(value))}, most = Math.max(...known.map((bin) => bin.n));
  return titled("Does it mean what it says?", linePlot(`Of ${known.length} groups of clips: ${known.map((bin) => `said ${decimal(bin.mean)}, approved ${decimal(bin.share)}`).join("; ")}.`, {
    x: {...unit, name: "probability that it gave"}, y: unit, diagonal: true,
    series: [{name: "share approved", kind: "a", line: false, points: known.map((bin) => ({x: bin.mean, y: bin.share, r: 3 + 3 * Math.sqrt(bin.n / most), title: `said ${decimal(bin.mean)}, approved ${decimal(bin.share)} of ${many(bin.n, "clip")}`}))}],
  }), "Share that curators approved against the probability that was given, in groups of as many clips; on the dashed line it means what it says.");
}

export function epochsPlot(epochs) {
  const known = Array.isArray(epochs) ? epochs : [];
  if (known.length < 2) return null;
  const losses = known.flatMap((each) => [each.train_loss, each.validation_loss]).filter(Number.isFinite);
  const low = Math.min(...losses), high = Math.max(...losses), room = (high - low) * 0.1 || 0.1, last = known.at(-1).epoch;
  const y = {min: low - room, max: high + room}, line = (name, kind, key) => ({name, kind, points: known.filter((each) => Number.isFinite(each[key])).map((each) => ({x: each.epoch, y: each[key], title: `epoch ${each.epoch}: ${decimal(each[key], 3)}`}))});
  return titled("Epoch by epoch", linePlot(`Loss of the network over ${last} epochs.`, {x: {min: 1, max: last, ticks: ticks(1, last, 5), name: "epoch"}, y: {...y, ticks: ticks(y.min, y.max, 4, (value) => decimal(value))},
    series: [line("films learnt from", "b", "train_loss"), line("films not seen", "a", "validation_loss")]}), "Mean loss of the network over the folds.");
}
