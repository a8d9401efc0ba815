// What is said, line by line; the one under the playhead is marked, a click goes there.

import {h} from "./dom.js";
import {clock} from "./words.js";

// "seek": detail is a second.
class Lines extends HTMLElement {
  #lines = [];
  #rows = [];
  #at = -1;

  connectedCallback() {
    if (this.list) return;
    this.className = "lines";
    this.list = h("ol", {"aria-label": "Dialogue"});
    this.append(this.list);
  }

  show(lines) {
    this.#lines = lines;
    this.#rows = lines.map((line) => h("li", {}, h("button", {type: "button", class: "line", title: `From ${line.source}`, onclick: () => this.#go(line)},
      h("span", {class: "num muted"}, clock(line.start_s)), h("span", {class: "wrap"}, line.text))));
    this.#at = -1;
    this.list.replaceChildren(...(this.#rows.length ? this.#rows : [h("li", {class: "muted"}, "Nothing was heard that could be written down.")]));
  }

  set second(second) {
    const at = this.#lines.findIndex((line) => second >= line.start_s && second < line.end_s);
    if (at === this.#at) return;
    this.#rows[this.#at]?.removeAttribute("aria-current");
    this.#at = at;
    const row = this.#rows[at];
    if (!row) return;
    row.setAttribute("aria-current", "true");
    const top = row.offsetTop - this.clientHeight / 2;
    if (!this.contains(document.activeElement)) this.scrollTop = Math.max(0, top);
  }

  #go(line) {
    this.dispatchEvent(new CustomEvent("seek", {detail: line.start_s}));
  }
}

customElements.define("selects-lines", Lines);
