// When there is nothing to judge: why, what was done today, how far curators agree, and when more comes.

import {get, withQuery} from "./api.js";
import {boot, mayEdit} from "./boot.js";
import {h} from "./dom.js";
import {jobs} from "./jobs.js";
import {many} from "./words.js";

const LOOK_AGAIN_MS = 5000;
const FAIR_AGREEMENT = 10;
const VERDICTS = [["approve", "approved"], ["reject", "rejected"], ["skip", "skipped"], ["flag", "flagged"]];

export class NothingLeft {
  #timer = null;

  // `again` asks whether there is something by now.
  constructor(again) {
    this.again = again;
    this.element = h("section", {class: "empty review-nothing", "aria-live": "polite"});
  }

  loading() {
    this.#say(h("p", {class: "muted"}, "The first clips are on their way …"));
  }

  refuse() {
    this.#say(h("h1", {}, "You look, and others judge."), h("p", {class: "muted"}, "You are a viewer in this project. Whoever runs it can make you a curator; then clips are put to you here."));
  }

  trouble(error) {
    this.#say(h("h1", {}, "No clips at the moment."), h("p", {class: "wrap"}, error.message), h("p", {class: "muted"}, "What you decided is kept in this browser and goes out as soon as the server is there. This page goes on by itself."));
    this.#later();
  }

  async show() {
    this.#later();
    const asked = {project: boot.project};
    const [queue, films, agreement] = await Promise.all([get(withQuery("/api/queue", asked)), get(withQuery("/api/movies", {...asked, limit: 1})),
      get(withQuery("/api/agreement", asked)).catch(() => null)]).catch((error) => [null, error, null]);
    if (this.#timer === null) return;
    if (!queue) return void this.trouble(films);
    if (!films.total) return void this.#noFilms();
    this.#say(...this.#headed(queue), ...todayOf(queue), agreementOf(agreement), this.#more(queue),
      h("div", {class: "bar"}, h("a", {class: "button", href: "/"}, "To the library"), h("a", {class: "button", href: "/agreement"}, "Agreement")));
  }

  hide() {
    this.stop();
    this.element.hidden = true;
  }

  stop() {
    clearTimeout(this.#timer);
    this.#timer = null;
  }

  #later() {
    this.stop();
    this.#timer = setTimeout(() => this.again(), LOOK_AGAIN_MS);
  }

  #headed({decided}) {
    if (decided) return [h("h1", {}, "Nothing left to judge.")];
    return [h("h1", {}, "No clips to judge yet."), h("p", {class: "muted"}, "Clips are put to you here one after the other as soon as a film has some.")];
  }

  #noFilms() {
    const words = mayEdit() ? "Add one in the library; when it is analysed, its best clips are put to you here, one after the other." : "When there are some, their best clips are put to curators here.";
    this.#say(h("h1", {}, "No films yet"), h("p", {class: "muted"}, words), h("a", {class: "button main", href: "/"}, "To the library"));
  }

  #more({asked}) {
    const work = jobs.list.filter((job) => job.movie_id);
    const parts = [];
    if (work.length) parts.push(`${many(work.length, "film is", "films are")} being analysed; the new clips appear here by themselves.`);
    if (asked) parts.push(`${many(asked, "clip is", "clips are")} with other curators; what they leave comes to you.`);
    if (!parts.length) parts.push("New clips come with the next film, or when somebody skips one. This page goes on by itself.");
    return h("p", {class: "muted"}, parts.join(" "));
  }

  // What says the same as before is not said again to those who listen.
  #say(...parts) {
    const said = h("div", {}, ...parts);
    this.element.hidden = false;
    if (said.innerHTML !== this.element.innerHTML) this.element.replaceChildren(...said.childNodes);
  }
}

function todayOf({decided, today}) {
  if (!decided) return [];
  const counts = VERDICTS.filter(([name]) => today?.[name]).map(([name, words]) => h("li", {}, h("strong", {class: "num"}, today[name].toLocaleString("en")), words));
  return [h("p", {}, `You judged ${many(decided, "clip")} in the last 24 hours.`), counts.length ? h("ul", {class: "today"}, counts) : null];
}

function agreementOf(agreement) {
  if (!agreement) return null;
  const alpha = agreement.verdict.alpha.value, items = agreement.answered;
  if (alpha === null || !items) return h("p", {class: "muted"}, "How far curators agree shows once clips were judged by two.");
  const few = items < FAIR_AGREEMENT ? ", which are few" : "";
  return h("p", {}, `Agreement of all curators: alpha ${alpha.toFixed(2)}, from ${many(items, "clip")} that two were asked about${few}.`);
}
