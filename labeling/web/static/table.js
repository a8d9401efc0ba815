// A table of words and figures: the first cell of a row names it.

import {h} from "./dom.js";

// `figures`: all but names stand to the right, as numbers do. `unseen`: the caption is for readers only.
export function table(caption, heads, rows, {figures = false, unseen = false} = {}) {
  const cell = (content) => h("td", {class: figures ? "num" : ""}, content);
  return h("div", {class: `table ${figures ? "figures" : ""}`}, h("table", {}, h("caption", {class: unseen ? "sr" : ""}, caption),
    h("thead", {}, h("tr", {}, heads.map((head) => h("th", {scope: "col"}, head)))),
    h("tbody", {}, rows.map(([name, ...cells]) => h("tr", {}, h("th", {scope: "row", class: "wrap"}, name), cells.map(cell))))));
}
