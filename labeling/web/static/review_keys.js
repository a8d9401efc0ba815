// The keys of the review page.

import {isTyping} from "./dom.js";

export const KEYS = [
  ["a", "approve"], ["x", "reject"], ["space", "skip: somebody else is asked"], ["f", "flag: others should look"],
  ["⌫", "undo, up to the last ten"], ["1 … 7", "reasons, kept with the decision; 7 asks for words"],
  ["[ ]", "in point one shot later, out point one shot earlier"], ["Alt [ ]", "the other way: the clip grows"],
  ["Shift [ ]", "by one frame"], ["Esc", "the clip's own ends again"], ["← →", "two seconds back, on"], ["p", "pause, play"],
  ["m", "sound on or off"], ["c", "play the clips to compare"], ["?", "these keys"],
];

const REPEATED = ["[", "]", "ArrowLeft", "ArrowRight"];
const BRACKETS = {BracketLeft: "[", BracketRight: "]"};

export function reviewKeys(page, signal) {
  // What the mouse has pressed does not keep the keys: space is for the clip.
  page.addEventListener("click", (event) => event.detail && event.target.closest("button")?.blur(), {signal});
  document.addEventListener("keydown", (event) => {
    page.heard();
    const bracket = bracketOf(event);
    if (!bracket && isTyping(event)) return;
    if (event.target.closest?.("input, textarea, select, .q-menu") || document.querySelector("dialog[open], .menu")) return;
    const pressing = ["BUTTON", "A"].includes(event.target.tagName) && [" ", "Enter"].includes(event.key) && event.target.matches(":focus-visible");
    const name = bracket ?? (event.key.length === 1 ? event.key.toLowerCase() : event.key);
    const run = pressing || (event.repeat && !REPEATED.includes(name)) ? null : actionOf(page, name, event);
    if (!run) return;
    event.preventDefault();
    run();
  }, {signal});
}

// By the sign, else by the place of the key: Alt and Shift make other signs of it, and some keyboards need AltGr for it.
function bracketOf(event) {
  if (event.ctrlKey && !event.getModifierState("AltGraph") || event.metaKey) return null;
  if (event.key === "[" || event.key === "]") return event.key;
  if (event.key === "{" || event.key === "}") return event.key === "{" ? "[" : "]";
  return event.altKey ? BRACKETS[event.code] ?? null : null;
}

function actionOf(page, name, event) {
  const altered = event.altKey && !event.getModifierState("AltGraph");
  const trim = (which, inwards) => () => page.trimBy(which, altered ? -inwards : inwards, event.shiftKey || "{}".includes(event.key));
  const byNumber = /^[1-9]$/.test(name) ? () => page.toggleReason(Number(name) - 1) : null;
  return byNumber ?? {
    a: () => page.decide("approve"), x: () => page.decide("reject"), " ": () => page.decide("skip"), f: () => page.decide("flag"),
    Backspace: () => page.undo(), "[": trim("in", 1), "]": trim("out", -1), Escape: () => page.untrim(), p: () => page.deck.toggle(),
    ArrowLeft: () => page.deck.seek(page.deck.second - 2), ArrowRight: () => page.deck.seek(page.deck.second + 2),
    m: () => page.mute(), c: () => page.side.compare(), "?": () => page.showKeys(),
  }[name];
}
