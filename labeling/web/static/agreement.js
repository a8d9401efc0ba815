// How far curators agree: about the verdict and each reason, all together and two by two.

import {get, withQuery} from "./api.js";
import {boot} from "./boot.js";
import {h} from "./dom.js";
import {table} from "./table.js";
import {attempt} from "./toasts.js";
import {many} from "./words.js";

// Krippendorff's own advice: from 0.8 on answers can be relied on, under 0.667 they cannot.
const SURE = 0.8, TENTATIVE = 0.667;

class Agreement extends HTMLElement {
  async connectedCallback() {
    this.className = "page agreement";
    document.title = "Agreement · Selects";
    this.replaceChildren(h("h1", {}, "Agreement"));
    const found = await attempt(() => get(withQuery("/api/agreement", {project: boot.project})));
    if (found && this.isConnected) this.#show(found);
  }

  #show(found) {
    const {clips, answered, waiting, curators, verdict, reasons} = found;
    const parts = [h("header", {class: "page-head"}, h("h1", {}, "Agreement"), h("a", {class: "button bar", href: "/review"}, "To the review"))];
    if (!answered) {
      parts.push(h("section", {class: "empty"}, h("h2", {}, "Nothing to compare yet"), h("p", {class: "muted"},
        clips ? `${many(waiting, "clip waits", "clips wait")} for the answer of a second curator.` : "Some clips are put to two curators on purpose. When two have answered, how far they agree stands here.")));
      return this.replaceChildren(...parts);
    }
    const rest = waiting ? `; ${many(waiting, "more waits", "more wait")} for the second answer` : "";
    const subjects = [["verdict", verdict], ...Object.entries(reasons).map(([name, each]) => [name.replace("-", " "), each])];
    parts.push(h("p", {}, `${many(answered, "clip")} that two were asked about on purpose, answered by ${many(curators, "curator")}${rest}.`),
      table("Krippendorff's alpha, all curators", ["", "alpha", "95 % interval", "same answer", "clips", "given"],
        subjects.map(([name, {alpha, used}]) => [name, ...measured(alpha), name === "verdict" ? "" : many(used, "time")]), {figures: true}));
    if (verdict.pairs.length) parts.push(pairsOf(subjects));
    parts.push(h("p", {class: "small muted"}, `1 is perfect, 0 is what chance gives. From ${SURE} on answers can be relied on, under ${TENTATIVE} the question means different things to different people: talk about it. The truth is most likely within the interval; a wide one says that more clips are needed, and under ten clips there is none. A dash for the measure: all said the same, so that chance cannot be told from agreement.`));
    return this.replaceChildren(...parts);
  }
}

customElements.define("selects-agreement", Agreement);

// Cohen's kappa of the verdict, or of the reason that is chosen.
function pairsOf(subjects) {
  const choice = h("select", {class: "input"}, subjects.map(([name], at) => h("option", {value: at}, name)));
  const place = h("div");
  const show = () => {
    const [name, {pairs}] = subjects[choice.value];
    place.replaceChildren(table(`Cohen's kappa, two by two: ${name}`, ["", "kappa", "95 % interval", "same answer", "clips"],
      pairs.map(({first, second, kappa}) => [`${first} and ${second}`, ...measured(kappa)]), {figures: true}));
  };
  choice.addEventListener("change", show);
  show();
  return h("section", {}, h("label", {class: "field"}, "Two by two, about", choice), place);
}

function measured({value, low, high, observed, units}) {
  const kind = value === null ? "muted" : value >= SURE ? "good" : value < TENTATIVE ? "bad" : "";
  return [h("strong", {class: kind}, decimal(value)), low === null ? "–" : `${decimal(low)} to ${decimal(high)}`,
    observed === null ? "–" : `${Math.round(100 * observed)} %`, units.toLocaleString("en")];
}

const decimal = (value) => (value === null ? "–" : value.toFixed(2).replace("-", "−"));
