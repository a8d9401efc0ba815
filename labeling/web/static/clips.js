// The list of clips beside the player. When it is ranked anew, each clip moves to its new place.

import {button, h, token} from "./dom.js";
import {clock, score} from "./words.js";

// Events: "playbar" bar; "choose" bar; "like" bar; "list" {bar, at}; "remove" bar (only of one's own).
class Clips extends HTMLElement {
  #rows = new Map();
  #chosen = null;

  connectedCallback() {
    if (this.list) return;
    this.className = "clips";
    this.list = h("ol", {"aria-label": "Clips, the best first"});
    this.nothing = h("p", {class: "muted", hidden: true});
    this.append(this.list, this.nothing);
  }

  show(bars, {mayEdit, none}) {
    const before = new Map([...this.#rows].map(([name, row]) => [name, row.getBoundingClientRect().top]));
    const rows = bars.map((bar) => this.#row(bar, mayEdit));
    this.list.replaceChildren(...rows);
    const now = new Set(bars.map((bar) => bar.key));
    for (const name of this.#rows.keys()) if (!now.has(name)) this.#rows.delete(name);
    this.nothing.hidden = bars.length > 0;
    this.nothing.textContent = none;
    this.#glide(before);
  }

  choose(bar, {reveal = true} = {}) {
    this.#rows.get(this.#chosen)?.removeAttribute("aria-current");
    this.#chosen = bar?.key ?? null;
    const row = this.#rows.get(this.#chosen);
    row?.setAttribute("aria-current", "true");
    if (reveal && row) this.scrollTop = Math.min(Math.max(this.scrollTop, row.offsetTop + row.offsetHeight - this.clientHeight), row.offsetTop);
  }

  #row(bar, mayEdit) {
    let row = this.#rows.get(bar.key);
    if (!row) {
      row = h("li", {class: "clip", dataset: {key: bar.key}});
      this.#rows.set(bar.key, row);
    }
    if (bar.key === this.#chosen) row.setAttribute("aria-current", "true");
    row.replaceChildren(...this.#parts(bar, mayEdit));
    return row;
  }

  #parts(bar, mayEdit) {
    const own = bar.source !== "ranking", span = `${clock(bar.start_s)} – ${clock(bar.end_s)}`;
    const words = own ? bar.note || `${bar.source === "trim" ? "cut" : "made"} by ${bar.created_by || "hand"}` : bar.reasons?.[0] ?? "";
    const main = h("button", {type: "button", class: "clip-main", title: "Play this clip", onclick: () => this.#send("playbar", bar), onfocus: () => this.#send("choose", bar)},
      h("span", {class: "clip-rank num"}, own ? "own" : String(bar.rank)),
      h("span", {class: "clip-span num"}, span, h("span", {class: "muted"}, ` (${clock(bar.end_s - bar.start_s)})`)),
      h("span", {class: `clip-score num ${bar.band}`, title: bar.score === null ? "" : `viral ${score(bar.viral)}, compelling ${score(bar.compelling)}`}, bar.score === null ? "not scored" : score(bar.score), bar.score === null ? null : h("span", {class: "clip-band"}, ` ${bar.band}`)),
      h("span", {class: "clip-why small muted", title: bar.reasons?.join("\n") || bar.note || ""}, words));
    const more = button("", () => this.#send("like", bar), {kind: "plain", symbol: "like", title: `More like ${span}`});
    const away = bar.source === "manual" && mayEdit ? button("", () => this.#send("remove", bar), {kind: "plain", symbol: "close", title: `Remove the clip ${span}`}) : null;
    const list = mayEdit ? button("", (event) => this.#send("list", {bar, at: event.currentTarget}), {kind: "plain", symbol: "lists", title: `${bar.verdict === "approve" ? "Put" : "Approve and put"} ${span} into a list`, "aria-haspopup": "menu"}) : null;
    return [main, list, more, away].filter(Boolean);
  }

  // Each row glides from where it was.
  #glide(before) {
    const duration = token("--slow");
    if (!duration || document.hidden) return;
    for (const [name, row] of this.#rows) {
      const was = before.get(name), distance = was === undefined ? 0 : was - row.getBoundingClientRect().top;
      if (distance) row.animate([{transform: `translateY(${distance}px)`}, {transform: "none"}], {duration, easing: "ease-out"});
    }
  }

  #send(name, detail) {
    this.dispatchEvent(new CustomEvent(name, {detail}));
  }
}

customElements.define("selects-clips", Clips);
