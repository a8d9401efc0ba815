// In and out point, set by hand; between them lies a clip of one's own: frames [in, out).

import {mayEdit} from "./boot.js";
import {button, h} from "./dom.js";
import {clock} from "./words.js";
import {toast} from "./toasts.js";

export class Marks {
  #from = null;
  #to = null;
  #second = 0;
  #busy = false;

  // `changed` gets {from, to} in seconds or null; `make` gets {start_frame, end_frame} and gives what was made.
  constructor(time, {changed, make}) {
    Object.assign(this, {time, changed, run: make});
    this.words = h("output", {class: "num", "aria-label": "Length"});
    this.from = button("In", () => this.set("in"), {kind: "num", symbol: "in", title: "In point here (i)"});
    this.to = button("Out", () => this.set("out"), {kind: "num", symbol: "out", title: "Out point here (o)"});
    this.maker = button("Make a clip", () => this.make(), {kind: "main", title: "Make a clip of what lies between (Enter)"});
    this.away = button("", () => this.clear(), {kind: "plain", symbol: "close", title: "Forget in and out point (Esc)"});
    this.element = h("div", {class: "marks"}, this.from, this.to, this.words, this.maker, this.away);
    this.#show();
  }

  set second(second) {
    this.#second = second;
  }

  // The frame that is shown is the first of the clip, or the last.
  set(which) {
    if (!mayEdit()) return;
    const frame = this.time.frameAt(this.#second);
    if (which === "in") this.#from = frame;
    else this.#to = frame + 1;
    const crossed = this.#from !== null && this.#to !== null && this.#from >= this.#to;
    if (crossed && which === "in") this.#to = null;
    if (crossed && which === "out") this.#from = null;
    this.#show();
  }

  clear() {
    this.#from = this.#to = null;
    this.#show();
  }

  async make() {
    if (this.#busy) return;
    if (this.#from === null || this.#to === null) return toast("Set an in point with i and an out point with o first.");
    this.#busy = true;
    const made = await this.run({start_frame: this.#from, end_frame: this.#to});
    this.#busy = false;
    if (made) this.clear();
  }

  #show() {
    const from = this.#from === null ? null : this.time.secondOf(this.#from), to = this.#to === null ? null : this.time.secondOf(this.#to);
    const both = from !== null && to !== null;
    this.from.lastChild.textContent = from === null ? "In" : this.time.code(from);
    this.to.lastChild.textContent = to === null ? "Out" : this.time.code(this.time.secondOf(this.#to - 1));
    this.words.textContent = both ? clock(to - from) : "";
    this.maker.disabled = !both;
    this.away.hidden = from === null && to === null;
    this.changed({from, to});
  }
}
