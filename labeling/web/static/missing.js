// What stands where something could not be loaded: why, and what helps. Where only the server was not heard of, it goes on
// by itself when the server is.

import {line} from "./api.js";
import {button, h} from "./dom.js";

// The parts of a section; `again` loads once more.
export function missing(what, error, again) {
  const retry = button("Try again", () => { retry.remove(); again(); }, {kind: "main"});
  if (error.name === "Unreachable") line.addEventListener("change", () => !line.lost && retry.isConnected && again(), {once: true});
  return [h("h1", {}, what), h("p", {class: "muted wrap", role: "alert"}, error.message), retry];
}
