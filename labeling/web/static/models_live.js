// Who is live since when and why, the live proof, and who of two curators prefer.

import {button, h} from "./dom.js";
import {askRollback} from "./models_act.js";
import {PRIOR, between, day, decimal, moment, named, points, share, slotWords, versionLink} from "./models_words.js";
import {bars, linePlot, ticks} from "./plots.js";
import {table} from "./table.js";
import {many} from "./words.js";

const ROLLBACK = "rollback";
const SHOWN = 20;
const ALWAYS = ["compelling", "viral"];

export function liveSlots({live, history}, {admin, done}) {
  const slots = [...new Set([...ALWAYS, ...live.map((each) => each.slot)])].sort();
  return h("section", {"aria-label": "Live"}, h("h2", {}, "Live"), h("ul", {class: "models-slots"}, slots.map((slot) => {
    const row = live.find((each) => each.slot === slot), last = history.find((each) => each.slot === slot);
    return h("li", {class: "models-slot"}, h("p", {class: "small muted"}, slotWords(slot)),
      h("p", {class: "models-version wrap"}, row?.version ? versionLink(row.version) : named(null, slot)),
      h("p", {class: "small muted wrap"}, since(last)),
      row?.problem ? h("p", {class: "bad wrap", role: "alert"}, `${row.problem} ${named([PRIOR, "embedding"].includes(row.serving) ? null : row.serving, slot)} is used meanwhile.`) : null,
      admin && row?.version ? button("Roll back …", () => askRollback(row, before(row, history), done), {"aria-label": `Roll back ${slotWords(slot)} …`}) : null);
  })));
}

function since(last) {
  if (!last) return "Since the beginning: nothing was ever promoted.";
  const did = last.why === ROLLBACK ? "rolled back" : "promoted";
  const why = last.why === ROLLBACK ? `${last.previous} was taken out` : last.why || "no reason was given";
  return `Since ${moment(last.at)}, ${did} by ${last.by}: ${why}`;
}

// What the server goes back to: of all that was promoted and not taken back, the one before the last.
function before(row, history) {
  const stands = [];
  for (const each of history.filter((one) => one.slot === row.slot).reverse()) each.why === ROLLBACK ? stands.pop() : stands.push(each.version);
  return stands.at(-2) ?? null;
}

export function historyOf(history) {
  if (!history.length) return null;
  const rows = history.slice(0, SHOWN).map((each) => [moment(each.at), slotWords(each.slot),
    each.version ? versionLink(each.version) : named(null, each.slot), named(each.previous, each.slot), each.by, h("span", {class: "models-gate wrap"}, each.why === ROLLBACK ? "rolled back" : each.why || "–")]);
  const more = history.length > SHOWN ? `, the newest ${SHOWN}` : "";
  return h("details", {class: "models-more"}, h("summary", {}, `History: ${many(history.length, "change")}${more}`),
    table("Every change of what is live", ["When", "Score", "Became live", "In place of", "By", "Why"], rows, {unseen: true}));
}

// "Is this better than random here?"
export function proofOf(proof, live) {
  const judged = proof.models.filter((each) => each.points.length), newest = proof.models.at(-1);
  const head = h("h2", {}, "Is this better than random here?");
  const about = h("p", {class: "small muted"}, "Some clips are always asked for by chance. Above one half: a clip that curators approved had the higher score more often than one that they rejected. Every clip counts with the score that it had before anybody judged it.");
  if (!newest) return h("section", {}, head, h("p", {class: "muted"}, "Nobody has judged a clip that was asked for by chance yet; the queue mixes some in."), about);
  const point = newest.points.at(-1), rest = unscored(newest, live);
  const said = h("div", {class: "models-said"},
    point ? verdict(newest, point) : h("p", {}, `${newest.clips} clips that chance chose were judged under ${named(newest.model === PRIOR ? null : newest.model)}. From ${proof.least} on, with ${proof.least_each} approved and ${proof.least_each} rejected, something can be told.`),
    rest ? h("p", {class: "muted wrap"}, rest) : null, about);
  return h("section", {}, head, h("div", {class: "models-proof"}, judged.length ? picture(proof, judged) : null, said));
}

function unscored(newest, live) {
  const now = ALWAYS.map((slot) => live.find((each) => each.slot === slot)?.version).filter(Boolean);
  const known = newest.model.split(" + ");
  const fresh = now.filter((version) => !known.includes(version));
  return fresh.length ? `Of ${fresh.join(" and ")}, live now, no clip that chance chose was judged yet.` : "";
}

function verdict(newest, {auc, every, upper, lift, clips, films, over}) {
  const [kind, words] = auc.low > 0.5 ? ["good", "Yes"] : auc.high < 0.5 ? ["bad", "No, it is worse"] : ["", "That cannot be told yet"];
  const range = over === "films" ? "" : " The intervals speak of these films only; from five films on, of others too.";
  return h("div", {class: "models-verdict"}, h("p", {class: `models-yes ${kind}`}, words),
    h("p", {class: "num"}, `AUC ${between(auc)}; chance 0.50`),
    lift ? bars("Approved by curators, with 95 % interval", [
      {name: "higher half of scores", words: between(upper, share), ...upper, kind: "a"},
      {name: "asked by chance", words: between(every, share), ...every, kind: "b"}]) : null,
    lift ? h("p", {class: "num"}, `Difference ${between(lift, points)} points.`) : null,
    h("p", {class: "small muted wrap"}, `${newest.model === PRIOR ? "The documented prior" : newest.model}, over the last ${many(clips, "clip")} that chance chose, from ${many(films, "film")}.${range}`));
}

function picture(proof, judged) {
  let offset = 0;
  const marks = [], series = [];
  for (const each of proof.models) {
    if (each.points.length) {
      if (proof.models.length > 1) marks.push({x: offset, name: each.model});
      series.push({name: each.model, kind: "a", points: each.points.map((point) => ({x: offset + point.judged, y: point.auc.value, low: point.auc.low, high: point.auc.high,
        title: `${each.model}, ${moment(point.until)}: AUC ${between(point.auc)}, ${many(point.clips, "clip")} of ${many(point.films, "film")}`}))});
    }
    offset += each.clips;
  }
  const all = judged.flatMap((each) => each.points), first = all[0], last = all.at(-1);
  const low = Math.min(0.25, ...all.map((point) => point.auc.low)), from = Math.floor(low * 4) / 4;
  const plot = linePlot(`AUC of clips asked by chance, ${day(first.since)} to ${day(last.until)}: ${between(last.auc)} at the end; chance is 0.50.`, {
    x: {min: 0, max: offset, ticks: ticks(0, offset, 6), name: `clips asked by chance that were judged, ${day(first.since)} to ${day(last.until)}`},
    y: {min: from, max: 1, ticks: ticks(from, 1, 4, (value) => decimal(value))}, series, level: {y: 0.5, name: "chance"}, marks});
  plot.querySelector("figcaption")?.remove();
  return plot;
}

export function duelOf(duel) {
  if (!duel) return null;
  const {champion, rival, difference, low, high, preferred} = duel;
  const row = (team, kind) => ({name: team.version === PRIOR ? "the documented prior" : team.version, words: `${team.approved} of ${team.judged}`, value: team.share ?? 0, low: team.judged ? team.low : null, high: team.high, kind});
  const words = preferred ? `Curators prefer ${preferred}.` : difference === null ? "Not enough of both is judged yet." : "No preference can be told yet.";
  return h("section", {}, h("h2", {}, "Which of two do curators prefer?"), h("div", {class: "models-duel"},
    h("p", {class: `models-yes wrap ${preferred ? "good" : ""}`}, words),
    bars("Approved of what each put into the queue; who judged did not know which was whose", [row(champion, "b"), row(rival, "a")]),
    difference === null ? null : h("p", {class: "num wrap"}, `${rival.version} less ${named(champion.version === PRIOR ? null : champion.version)}: ${between({value: difference, low, high}, points)} points.`)));
}
