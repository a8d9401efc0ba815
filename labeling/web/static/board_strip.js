// Where in its films a cluster appears: a band for each of the films that have most of it.

import {h} from "./dom.js";
import {stripWords} from "./board_words.js";

const SVG = "http://www.w3.org/2000/svg";
const SHOWN = 3;
const WIDE = 1000;
const LEAST = 4;

export function stripOf(strips) {
  const most = [...strips].sort((one, other) => seconds(other) - seconds(one)), shown = most.slice(0, SHOWN), rest = strips.length - shown.length;
  const words = stripWords(shown) + (rest ? `; and ${rest} more` : "");
  return h("div", {class: "board-strip", role: "img", "aria-label": words ? `Where: ${words}` : "Nowhere yet", title: words}, shown.map(band));
}

function band(strip) {
  const svg = document.createElementNS(SVG, "svg"), path = document.createElementNS(SVG, "path");
  svg.setAttribute("viewBox", `0 0 ${WIDE} 1`);
  svg.setAttribute("preserveAspectRatio", "none");
  svg.setAttribute("aria-hidden", "true");
  path.setAttribute("d", strip.spans.map(([from, to]) => {
    const scale = WIDE / Math.max(strip.duration_s, 1e-6), wide = Math.max(LEAST, (to - from) * scale);
    return `M${Math.min(from * scale, WIDE - wide).toFixed(1)} 0h${wide.toFixed(1)}v1h-${wide.toFixed(1)}z`;
  }).join(""));
  svg.append(path);
  return svg;
}

const seconds = (strip) => strip.spans.reduce((sum, [from, to]) => sum + to - from, 0);
