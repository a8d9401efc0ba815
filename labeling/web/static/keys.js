// The keys of the film page.

import {isTyping} from "./dom.js";

export const KEYS = [
  ["space", "play, pause"], ["← →", "one frame back, on"], ["Shift ← →", "one second"], ["↑ ↓", "the cut before, the next cut"],
  ["i o", "set in point, out point"], ["Enter", "make a clip of what lies between"], ["Esc", "forget in and out point"],
  ["m", "more like the shot that is shown"], ["+ −", "zoom the timeline"], ["f", "full screen"], ["?", "these keys"],
];

const OWN = new Set(["BUTTON", "A", "SUMMARY", "VIDEO"]);

export function filmKeys(page, signal) {
  // What the mouse has pressed does not keep the keys: space is for the film.
  page.addEventListener("click", (event) => event.detail && event.target.closest("button")?.blur(), {signal});
  document.addEventListener("keydown", (event) => {
    if (!page.player || isTyping(event)) return;
    const pressing = OWN.has(event.target.tagName) && [" ", "Enter"].includes(event.key);
    const run = pressing ? null : actions(page, event)[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (!run) return;
    event.preventDefault();
    run();
  }, {signal});
}

function actions(page, event) {
  const {player, timeline, marks, film} = page, {time} = film, shot = () => time.shots[time.shotAt(player.second)];
  const cut = (second) => player.seek(second, {play: player.playing});
  const back = () => (player.second - shot().start_s > 0.5 ? shot().start_s : time.shots[Math.max(0, shot().number - 1)].start_s);
  const step = (sign) => (event.shiftKey ? player.seek(player.second + sign) : player.step(sign));
  return {
    " ": () => player.toggle(), ArrowLeft: () => step(-1), ArrowRight: () => step(1),
    ArrowUp: () => cut(back()), ArrowDown: () => cut(time.shots[Math.min(time.shots.length - 1, shot().number + 1)].start_s),
    i: () => marks.set("in"), o: () => marks.set("out"), Enter: () => marks.make(), Escape: () => marks.clear(),
    m: () => page.alike(), "+": () => timeline.zoom(1.5), "=": () => timeline.zoom(1.5), "-": () => timeline.zoom(1 / 1.5),
    f: () => player.full(), "?": () => page.showKeys(),
  };
}
