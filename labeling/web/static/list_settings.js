// How a project's lists leave it: where the editor has the films, handles, rate; and who is told of an approval.

import {api, get, getAll, post, withQuery} from "./api.js";
import {boot} from "./boot.js";
import {button, h, openDialog} from "./dom.js";
import {rateField} from "./lists_new.js";
import {attempt, toast} from "./toasts.js";

export async function askExportSettings(done) {
  const path = `/api/projects/${boot.project}/exports`, found = await attempt(() => get(path));
  if (!found) return;
  const rows = h("div", {class: "list-mappings"});
  const add = (server = "", editor = "") => {
    const row = h("div", {class: "list-mapping"}, h("input", {class: "input", name: "server", value: server, placeholder: "/films", "aria-label": "Folder of the server"}), h("span", {class: "muted"}, "→"),
      h("input", {class: "input", name: "editor", value: editor, placeholder: "/Volumes/Films or Z:\\Films", "aria-label": "The same folder for the editor"}), button("", () => row.remove(), {kind: "plain", symbol: "close", title: "Take this folder away"}));
    rows.append(row);
  };
  for (const {server, editor} of found.mappings) add(server, editor);
  if (!found.mappings.length) add();
  openDialog({
    title: "How lists leave this project", confirm: "Save",
    body: [h("p", {class: "small muted"}, "Where the editor's machine has the server's folders, so that media does not open offline. The longest that fits counts."), rows, button("Another folder", () => add(), {kind: "plain", symbol: "plus"}),
      h("label", {class: "field stacked"}, "Handles at both ends of each clip, frames", h("input", {class: "input", name: "handles", type: "number", min: 0, max: 10000, value: found.handles})), rateField(found.rate)],
    ask: async (form) => {
      const servers = form.getAll("server"), editors = form.getAll("editor");
      const mappings = servers.map((server, at) => ({server: server.trim(), editor: editors[at].trim()})).filter(({server, editor}) => server || editor);
      await api("PUT", path, {mappings, handles: Number(form.get("handles")), rate: form.get("rate")});
      done();
    },
  });
}

export async function askWebhooks() {
  const found = await attempt(() => getAll(withQuery("/api/webhooks", {project: boot.project})));
  if (!found) return;
  const list = h("ul", {class: "list-hooks"}), shown = (hooks) => list.replaceChildren(...(hooks.length ? hooks.map((hook) => hookRow(hook, again)) : [h("li", {class: "muted small"}, "Nobody is told yet.")]));
  const again = async () => shown(await getAll(withQuery("/api/webhooks", {project: boot.project})));
  shown(found);
  openDialog({
    title: "Who is told when a list is approved", confirm: "Add",
    body: [list, h("label", {class: "field stacked"}, "Another address", h("input", {class: "input", name: "url", type: "url", required: true, placeholder: "https://…"})),
      h("p", {class: "small muted"}, "It gets a POST that is signed with a secret, which is shown once. What it does not take is sent again for a day.")],
    ask: async (form) => {
      const made = await post("/api/webhooks", {project: boot.project, url: form.get("url").trim()});
      showSecret(made);
    },
  });
}

function hookRow(hook, again) {
  const said = h("span", {class: "small muted num"}, [hook.active ? "" : "off", hook.waiting ? `${hook.waiting} waiting` : "", hook.failed ? `${hook.failed} not taken` : ""].filter(Boolean).join(", "));
  const test = button("Try it", () => attempt(async () => { await post(`/api/webhooks/${hook.id}/test`); toast("A test is on its way; the worker sends it."); await again(); }), {kind: "plain"});
  const turn = button(hook.active ? "Turn off" : "Turn on", () => attempt(async () => { await api("PATCH", `/api/webhooks/${hook.id}`, {active: !hook.active}); await again(); }), {kind: "plain"});
  const away = button("", () => attempt(async () => { await api("DELETE", `/api/webhooks/${hook.id}`); await again(); }), {kind: "plain", symbol: "close", title: `Tell ${hook.url} no more`});
  return h("li", {}, h("span", {class: "list-hook-url", title: hook.url}, hook.url), said, test, turn, away);
}

function showSecret({webhook, secret}) {
  openDialog({
    title: "Its secret", confirm: "Done", ask: () => undefined,
    body: [h("p", {}, `${webhook.url} is told from now on. Keep this secret there; it is not shown again.`), h("input", {class: "input", readOnly: true, value: secret, onfocus: (event) => event.target.select(), "aria-label": "Secret"})],
  }).querySelector(".actions button").remove();
}
