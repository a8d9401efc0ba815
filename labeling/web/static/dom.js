// Elements without ceremony.

import {boot} from "./boot.js";

const NOT_DRAWN_MS = 200;
const SVG = "http://www.w3.org/2000/svg";

// h("button", {class: "button", onclick: play}, "Play"): properties where the element has them, else attributes.
export function h(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === undefined || value === null || value === false) continue;
    if (name === "class") element.className = value;
    else if (name === "dataset") Object.assign(element.dataset, value);
    else if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name in element && !name.includes("-") && name !== "list") element[name] = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `${boot.static}/icons.svg#${name}`);
  svg.append(use);
  return svg;
}

export function button(words, run, {kind = "", symbol = "", title = "", ...more} = {}) {
  const only = symbol && !words;
  return h("button", {
    type: "button", class: `button ${kind} ${only ? "square" : ""}`, title: title || undefined,
    "aria-label": only ? title : undefined, onclick: run, ...more,
  }, symbol ? icon(symbol) : null, words || null);
}

export function progressBar(fraction, label) {
  const bar = h("div", {class: "progress", role: "progressbar", "aria-label": label, "aria-valuemin": 0, "aria-valuemax": 100},
    h("span"));
  setProgress(bar, fraction);
  return bar;
}

export function setProgress(bar, fraction) {
  const share = Math.min(Math.max(fraction || 0, 0), 1);
  bar.setAttribute("aria-valuenow", Math.round(share * 100));
  bar.firstElementChild.style.transform = `scaleX(${share})`;
}

// A number out of the style sheet: a length in pixels or a time in milliseconds.
export function token(name, of = document.documentElement) {
  return parseFloat(getComputedStyle(of).getPropertyValue(name)) || 0;
}

export function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

// Runs what may come after the next picture of the page; in a page that is not drawn, soon.
export function afterPaint(work) {
  let waits = true;
  const run = () => waits && (waits = false, work());
  requestAnimationFrame(() => setTimeout(run));
  setTimeout(run, NOT_DRAWN_MS);
}

// Whether a key that was pressed is meant for a field or a control and not for the page.
export function isTyping(event) {
  const at = event.target;
  if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return true;
  return at.isContentEditable || /^(INPUT|SELECT|TEXTAREA)$/.test(at.tagName) || Boolean(at.closest("dialog, .menu, .q-menu"));
}

// A dialog that is gone when it is closed. `ask` gets the form's data and may throw what is to be shown in it.
export function openDialog({title, body, confirm, danger = false, ask}) {
  const problem = h("p", {class: "bad wrap", role: "alert", hidden: true});
  const yes = h("button", {type: "submit", class: `button ${danger ? "danger" : "main"}`}, confirm);
  const form = h("form", {method: "dialog"}, h("h2", {class: "wrap"}, title), ...body, problem,
    h("div", {class: "actions"}, button("Cancel", () => dialog.close()), yes));
  const dialog = h("dialog", {"aria-label": title}, form);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    yes.disabled = true;
    try {
      await ask(new FormData(form));
      dialog.close();
    } catch (error) {
      problem.textContent = error.message;
      problem.hidden = false;
      yes.disabled = false;
    }
  });
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}

// A small menu at a button: [{words, run, danger}].
export function openMenu(at, entries) {
  const menu = h("div", {class: "menu", popover: "auto", role: "menu"}, entries.map(({words, run, danger}) =>
    h("button", {type: "button", role: "menuitem", class: danger ? "danger" : "", onclick: () => { menu.hidePopover(); run(); }}, words)));
  document.body.append(menu);
  menu.addEventListener("toggle", (event) => event.newState === "closed" && menu.remove());
  menu.addEventListener("keydown", (event) => {
    const items = [...menu.children], here = items.indexOf(document.activeElement);
    const step = {ArrowDown: 1, ArrowUp: -1}[event.key];
    if (!step) return;
    event.preventDefault();
    items[(here + step + items.length) % items.length].focus();
  });
  menu.showPopover();
  const place = at.getBoundingClientRect(), own = menu.getBoundingClientRect();
  menu.style.left = `${Math.max(0, Math.min(place.left, innerWidth - own.width))}px`;
  menu.style.top = `${place.bottom + own.height > innerHeight ? place.top - own.height : place.bottom}px`;
  menu.firstElementChild.focus();
}
