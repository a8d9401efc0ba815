// What stands over a clip that cannot be played: while the connection is lost it says so, and nothing unseen is judged.

import {line} from "./api.js";
import {h} from "./dom.js";
import {toast} from "./toasts.js";

const BROKEN = "This clip cannot be played at the moment; trying again … If it stays like this with a connection, the film's file may be gone: skip the clip, or analyse the film again.";
const LOST = "No connection, and this clip is not loaded. When the connection is back it can be judged, and this page goes on by itself. What you said is kept in this browser.";

export class ReviewProblem {
  constructor(deck) {
    this.deck = deck;
    this.element = h("p", {class: "player-problem", role: "alert", hidden: true});
  }

  // Calls `back` when the connection is there again.
  listen(signal, back) {
    this.deck.addEventListener("problem", () => this.#tell(), {signal});
    line.addEventListener("change", () => {
      this.#tell();
      if (line.lost) return;
      this.deck.again();
      back();
    }, {signal});
  }

  // Whether the clip is to wait for the connection; says so.
  holds() {
    const waits = line.lost && this.deck.problem && !this.deck.seen;
    if (waits) toast("This clip is not loaded yet: it can be judged when the connection is back.");
    return waits;
  }

  #tell() {
    const words = this.deck.problem ? (line.lost ? LOST : BROKEN) : "";
    this.element.hidden = !words;
    if (words && this.element.textContent !== words) this.element.textContent = words;
  }
}
