// Small plots as SVG: axes, lines with bands, bars. Values in, elements out; colours come from the style sheet.

import {h} from "./dom.js";

const SVG = "http://www.w3.org/2000/svg";
const PAD = {left: 44, right: 16, top: 12, bottom: 24};
const HEIGHT = 220;
const LETTER = 8, LEAST_LETTERS = 6;

function s(tag, attributes, ...children) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

// `label` says the whole in words, for readers. Each axis: {min, max, ticks: [[value, words]], name}; the name of x stands
// below, in as many lines as it needs.
// series: [{name, kind: "a" | "b" | "c", points: [{x, y, low, high, title}], line: false for dots alone}].
// level: {y, name}, a line to compare with; diagonal: from corner to corner; marks: [{x, name}], moments on the x axis.
export function linePlot(label, {x, y, series, level = null, diagonal = false, marks = []}) {
  const place = h("div", {class: "plot", role: "img", "aria-label": label});
  const title = h("p", {class: "plot-axis small muted", "aria-hidden": "true"}, x.name);
  let width = 0;
  const draw = () => {
    if (Math.round(place.clientWidth) === width || !place.clientWidth) return;
    width = Math.round(place.clientWidth);
    const scale = {x: along(x, PAD.left, width - PAD.right), y: along(y, HEIGHT - PAD.bottom, PAD.top)};
    const svg = s("svg", {width, height: HEIGHT, viewBox: `0 0 ${width} ${HEIGHT}`, "aria-hidden": "true"}, ...axes(x, y, scale, width));
    if (level) svg.append(...levelLine(level, scale, width));
    if (diagonal) svg.append(s("line", {class: "plot-level", x1: scale.x(x.min), y1: scale.y(y.min), x2: scale.x(x.max), y2: scale.y(y.max)}));
    svg.append(...markLines(marks, scale, width), ...series.flatMap((each) => lineOf(each, scale)));
    place.replaceChildren(svg, title);
  };
  new ResizeObserver(draw).observe(place);
  return h("figure", {class: "plot-figure"}, place, series.length > 1 ? legend(series) : null);
}

function along({min, max}, from, to) {
  return (value) => from + (to - from) * (max > min ? (value - min) / (max - min) : 0.5);
}

function axes(x, y, scale, width) {
  const bottom = HEIGHT - PAD.bottom, parts = [];
  for (const [value, words] of y.ticks) {
    const at = scale.y(value);
    parts.push(s("line", {class: "plot-grid", x1: PAD.left, x2: width - PAD.right, y1: at, y2: at}),
      s("text", {class: "plot-words", x: PAD.left - 8, y: at + 4, "text-anchor": "end"}, words));
  }
  for (const [value, words] of x.ticks) {
    parts.push(s("text", {class: "plot-words", x: scale.x(value), y: bottom + 16, "text-anchor": "middle"}, words));
  }
  return parts;
}

function levelLine({y, name}, scale, width) {
  const at = scale.y(y);
  return [s("line", {class: "plot-level", x1: PAD.left, x2: width - PAD.right, y1: at, y2: at}),
    s("text", {class: "plot-words", x: width - PAD.right, y: at - 6, "text-anchor": "end"}, name)];
}

// A name has the room up to the next mark; of a longer one its end is shown, and the title has all of it.
function markLines(marks, scale, width) {
  return marks.flatMap(({x, name}, number) => {
    const at = scale.x(x), next = marks[number + 1] ? scale.x(marks[number + 1].x) : width - PAD.right;
    const room = Math.floor((next - at) / LETTER), words = name.length <= room ? name : room >= LEAST_LETTERS ? `…${name.slice(1 - room)}` : "";
    return [s("line", {class: "plot-mark", x1: at, x2: at, y1: PAD.top, y2: HEIGHT - PAD.bottom}, s("title", {}, name)),
      s("text", {class: "plot-words", x: at + 4, y: PAD.top + 8}, words)];
  });
}

function lineOf({kind, points, line = true}, scale) {
  const at = ({x, y}) => `${scale.x(x).toFixed(1)},${scale.y(y).toFixed(1)}`, parts = [];
  const banded = points.filter((point) => point.low !== undefined && point.low !== null);
  if (banded.length > 1 && line) {
    const edge = [...banded.map(({x, high}) => at({x, y: high})), ...banded.toReversed().map(({x, low}) => at({x, y: low}))];
    parts.push(s("polygon", {class: `plot-band plot-${kind}`, points: edge.join(" ")}));
  } else {
    parts.push(...banded.map(({x, low, high}) => s("line", {class: `plot-line plot-${kind}`, x1: scale.x(x), x2: scale.x(x), y1: scale.y(low), y2: scale.y(high)})));
  }
  if (line && points.length > 1) parts.push(s("polyline", {class: `plot-line plot-${kind}`, points: points.map(at).join(" ")}));
  if (points.length > 60) return parts;
  return [...parts, ...points.map((point) => s("circle", {class: `plot-dot plot-${kind}`, cx: scale.x(point.x), cy: scale.y(point.y), r: point.r ?? 3},
    s("title", {}, point.title ?? "")))];
}

function legend(series) {
  return h("figcaption", {class: "plot-legend small muted"}, series.map(({name, kind}) => h("span", {}, h("i", {class: `plot-key plot-${kind}`}), name)));
}

// Ticks at round values: at most `most` of them.
export function ticks(min, max, most, words = (value) => value.toLocaleString("en")) {
  const rough = (max - min) / most || 1, power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((each) => each * power).find((each) => each >= rough * 0.999), found = [];
  for (let value = Math.ceil(min / step - 1e-9) * step; value <= max + step * 1e-9; value += step) found.push([value, words(Number(value.toPrecision(9)))]);
  return found;
}

// Shares of a whole, or an interval with its value: rows of {name, words, value, low, high}, each 0 to 1.
export function bars(label, rows) {
  return h("table", {class: "bars"}, h("caption", {class: "small muted"}, label), h("tbody", {}, rows.map(({name, words, value, low, high, kind = "a"}) => {
    const bar = h("span", {class: `bars-bar plot-${kind}`}), found = h("span", {class: "bars-line"}, bar);
    bar.style.width = `${100 * Math.min(Math.max(value, 0), 1)}%`;
    if (low !== undefined && low !== null) {
      const range = h("span", {class: "bars-range"});
      range.style.left = `${100 * low}%`;
      range.style.width = `${100 * (high - low)}%`;
      found.append(range);
    }
    return h("tr", {}, h("th", {scope: "row", class: "wrap"}, name), h("td", {class: "bars-cell"}, found), h("td", {class: "num"}, words));
  })));
}
