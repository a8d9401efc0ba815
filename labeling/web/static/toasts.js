// Short answers to what the person did; problems stay until they are put away.

import {line} from "./api.js";
import {button, h} from "./dom.js";

const SHOWN_MS = 5000;

class Toasts extends HTMLElement {
  connectedCallback() {
    this.setAttribute("role", "status");
    this.setAttribute("aria-live", "polite");
  }

  show(words, {problem = false, actions = [], shown_ms = SHOWN_MS} = {}) {
    const toast = h("div", {class: `toast ${problem ? "problem" : ""}`}, h("p", {}, words),
      actions.map((action) => button(action.words, () => { toast.remove(); action.run(); })),
      button("", () => toast.remove(), {kind: "plain", symbol: "close", title: "Put away"}));
    // What is wrong once more is said once.
    if (problem) for (const other of this.querySelectorAll(".problem")) if (other.firstChild.textContent === words) other.remove();
    if (problem) toast.setAttribute("role", "alert");
    this.append(toast);
    if (!problem) setTimeout(() => toast.remove(), shown_ms);
    return toast;
  }
}

customElements.define("selects-toasts", Toasts);

export function toast(words, options) {
  return document.querySelector("selects-toasts").show(words, options);
}

// Run what a person asked for; what goes wrong is said.
export async function attempt(action) {
  try {
    return await action();
  } catch (error) {
    if (error.name !== "AbortError") tell(error);
    return undefined;
  }
}

// Says what went wrong; that the server does not answer is no news any more when it does.
export function tell(error) {
  const said = toast(error.message, {problem: true});
  if (error.name === "Unreachable") line.addEventListener("change", () => line.lost || said.remove(), {once: true});
}
