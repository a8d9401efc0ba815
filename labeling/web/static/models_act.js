// What an admin does to models; each dialog says first what will happen.

import {post} from "./api.js";
import {boot} from "./boot.js";
import {h, openDialog} from "./dom.js";
import {isMetric, named, slotWords} from "./models_words.js";
import {toast} from "./toasts.js";
import {many} from "./words.js";

const soon = (slot) => `Every server takes it up within two seconds, no request is lost, and ${
  isMetric(slot) ? "clusters are made anew in the background; what people put somewhere stays there" : "clips that nobody has judged yet are scored anew in the background"}.`;
const does = (slot) => (isMetric(slot) ? "decides the" : "gives the score");

// `live`: the slot as it was seen, or undefined where nothing was ever promoted in it.
export function askPromote(model, live, done) {
  const now = live?.version ?? null;
  openDialog({
    title: `Promote ${model.version}?`, confirm: "Promote",
    body: [
      h("p", {class: "wrap"}, `From now on ${model.version} ${does(model.slot)} ${slotWords(model.slot)}, in place of ${named(now, model.slot)}. ${soon(model.slot)} Roll back undoes it.`),
      h("p", {class: "wrap muted"}, model.summary),
      h("label", {class: "field stacked"}, "Why, for the history", h("input", {class: "input", name: "why", maxLength: 500, autofocus: true, autocomplete: "off"})),
    ],
    ask: async (form) => {
      await post(`/api/models/${model.version}/promote`, {why: form.get("why").trim(), expected_generation: live?.generation ?? 0});
      toast(`${model.version} is live.`);
      await done();
    },
  });
}

export function askRollback(live, before, done) {
  openDialog({
    title: `Roll back ${slotWords(live.slot)}?`, confirm: "Roll back", danger: true,
    body: [h("p", {class: "wrap"}, `${live.version} is taken out, and ${named(before, live.slot)}, which was live before it, ${does(live.slot)} ${slotWords(live.slot)} again. ${soon(live.slot)} The version stays in the list and can be promoted once more.`)],
    ask: async () => {
      const now = await post("/api/models/rollback", {project: live.project_id, slot: live.slot});
      toast(`Rolled back: ${named(now.version, now.slot)} ${does(live.slot)} ${slotWords(live.slot)} again.`);
      await done();
    },
  });
}

export function askTrain({gathered, schedule}, done) {
  const slots = schedule.slots.length ? schedule.slots : ["compelling"], lacking = missing(gathered);
  const choice = h("select", {class: "input", name: "slot"}, slots.map((slot) => h("option", {value: slot}, slotWords(slot))));
  openDialog({
    title: "Train a model?", confirm: "Train",
    body: [
      h("p", {class: "wrap"}, `All labels as they stand now (${judgedWords(gathered)}, and those of references) are frozen into a snapshot, and a model is trained on them in the background. Judging and scoring go on meanwhile.`),
      h("p", {class: "wrap"}, schedule.promotes ? "If the gate lets it pass, it goes live by itself; if not, what is live stays, and the reasons are kept." : "It does not go live by itself: when the gate has let it pass, somebody promotes it here."),
      ...teaching(schedule.corrections),
      lacking.length ? h("p", {class: "wrap bad"}, `The gate will refuse it: ${lacking.join(", ")} missing. Its card will show what it would be worth.`) : null,
      schedule.running ? null : h("p", {class: "wrap muted"}, "No trainer is at work at the moment: the run waits until selects trainer is started."),
      h("label", {class: "field stacked"}, "Which", choice),
    ].filter(Boolean),
    ask: async () => {
      await post("/api/training/runs", {project: boot.project, slot: choice.value});
      await done();
    },
  });
}

// Likeness is learnt from corrections of clusters, not from judged clips.
function teaching(corrections) {
  const known = corrections.filter((each) => each.standing);
  const said = known.map(({kind, standing}) => `${many(standing, "correction")} of ${kind === "scene" ? "places" : "people"}`);
  return known.length ? [h("p", {class: "wrap"}, `Likeness is learnt from what people corrected on the board: ${said.join(", ")}.`)] : [];
}

export function askCancel(run, done) {
  openDialog({
    title: "Cancel this training?", confirm: "Cancel the training", danger: true,
    body: [h("p", {}, "It stops within seconds and nothing of it is kept. What is live stays live.")],
    ask: async () => { await post(`/api/training/runs/${run.id}/cancel`); await done(); },
  });
}

export const judgedWords = ({approved, rejected, films}) =>
  `${many(approved + rejected, "judged clip")} of ${many(films, "film")}: ${approved.toLocaleString("en")} approved, ${rejected.toLocaleString("en")} rejected`;

// What the gate's least counts still lack, in words.
export function missing({approved, rejected, films, labels_wanted: labels, each_wanted: each, films_wanted: wanted}) {
  const lack = [[labels - approved - rejected, "judged clip"], [each - approved, "approval"], [each - rejected, "rejection"], [wanted - films, "film"]];
  return lack.filter(([count]) => count > 0).map(([count, one]) => many(count, one));
}
