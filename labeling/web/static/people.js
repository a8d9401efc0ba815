// Who may what in the project, invitations that wait, and one's own tokens for scripts.

import {api, get, getAll, post, withQuery} from "./api.js";
import {boot, role} from "./boot.js";
import {button, h, openDialog} from "./dom.js";
import {missing} from "./missing.js";
import {table} from "./table.js";
import {attempt, toast} from "./toasts.js";

const ROLES = {viewer: "A viewer looks and searches", curator: "a curator judges clips and adds films too", admin: "an admin also deletes and invites"};

class People extends HTMLElement {
  async connectedCallback() {
    this.className = "page people";
    document.title = "People · Selects";
    this.project = boot.projects.find((each) => each.id === boot.project);
    this.admin = role() === "admin";
    await this.#load();
  }

  async #load() {
    const project = boot.project;
    const asked = [project ? getAll(withQuery("/api/members", {project})) : [], project && this.admin ? getAll(withQuery("/api/members/invitations", {project})) : [], getAll("/api/tokens")];
    const found = await Promise.all(asked).catch((error) => error);
    if (!this.isConnected) return;
    if (found instanceof Error) return this.replaceChildren(h("section", {class: "empty"}, missing("The people of this project could not be loaded.", found, () => this.#load())));
    const [members, invitations, tokens] = found;
    this.replaceChildren(
      h("header", {class: "page-head"}, h("h1", {class: "wrap"}, this.project ? `People of ${this.project.name}` : "People"),
        this.admin && this.project ? button("Invite somebody …", () => this.#invite(), {kind: "bar"}) : null),
      ...this.#members(members), ...this.#invitations(invitations), ...this.#tokens(tokens));
  }

  #members(members) {
    if (!this.project) return [h("p", {class: "muted"}, "You are a member of no project yet; ask somebody to invite you.")];
    const owner = boot.superuser ? h("p", {class: "small muted"}, "You run this installation, so you are admin of every project without being listed.") : null;
    if (!members.length) return [h("p", {class: "muted"}, "Nobody else is here yet."), owner].filter(Boolean);
    return [table("Members", ["Name", "Role", ""], members.map((each) => [each.name, this.#roleOf(each), this.admin && this.#remover(each)]), {unseen: true}), owner].filter(Boolean);
  }

  #roleOf(member) {
    if (!this.admin) return member.role;
    const choice = roles(member.role, `Role of ${member.name}`);
    choice.addEventListener("change", async () => {
      const done = await attempt(() => api("PATCH", `/api/members/${member.id}`, {role: choice.value}));
      if (done) toast(`${member.name} is ${done.role} now.`);
      await this.#load();
    });
    return choice;
  }

  #remover(member) {
    return button("Remove …", () => openDialog({
      title: `Remove ${member.name} from the project?`, confirm: "Remove", danger: true,
      body: [h("p", {}, "They see nothing of it any more, at once. What they decided stays.")],
      ask: async () => { await api("DELETE", `/api/members/${member.id}`); await this.#load(); },
    }), {kind: "plain", "aria-label": `Remove ${member.name}`});
  }

  #invite() {
    openDialog({
      title: "Invite somebody", confirm: "Make the link",
      body: [
        h("label", {class: "field stacked"}, "Name", h("input", {class: "input", name: "name", required: true, maxLength: 100, autofocus: true, autocomplete: "off"})),
        h("label", {class: "field stacked"}, "Role", roles("curator")),
        h("p", {class: "small muted"}, `${Object.values(ROLES).join("; ")}.`),
      ],
      ask: async (form) => {
        const made = await post("/api/members/invitations", {project_id: boot.project, name: form.get("name").trim(), role: form.get("role")});
        await this.#load();
        showOnce(`A link for ${made.name}`, `Send it to ${made.name}: whoever opens it first is ${made.name}. It is shown this once, and works until ${day(made.expires_at)}.`, made.link);
      },
    });
  }

  #invitations(invitations) {
    if (!invitations.length) return [];
    return [table("Invitations that nobody has opened yet", ["Name", "Role", "Works until", ""], invitations.map((each) => [
      each.name, each.role, day(each.expires_at),
      button("Withdraw", async () => {
        await attempt(() => api("DELETE", `/api/members/invitations/${each.id}`));
        await this.#load();
      }, {kind: "plain", "aria-label": `Withdraw the invitation of ${each.name}`})]))];
  }

  #tokens(tokens) {
    const make = button("New token …", () => this.#newToken(), {kind: "bar"});
    const head = h("header", {class: "people-head"}, h("h2", {}, "Your tokens"), make);
    const said = h("p", {class: "small muted"}, "For scripts that use the API as you: Authorization: Bearer, and the token.");
    if (!tokens.length) return [head, said];
    return [head, said, table("Tokens", ["Name", "Last used", "Works until", ""], tokens.map((each) => [
      each.name, each.used_at ? day(each.used_at) : "never", each.expires_at ? day(each.expires_at) : "it is revoked",
      button("Revoke", async () => {
        await attempt(() => api("DELETE", `/api/tokens/${each.id}`));
        await this.#load();
      }, {kind: "plain", "aria-label": `Revoke ${each.name}`})]), {unseen: true})];
  }

  #newToken() {
    openDialog({
      title: "New token", confirm: "Make it",
      body: [
        h("label", {class: "field stacked"}, "What it is for", h("input", {class: "input", name: "name", required: true, maxLength: 100, autofocus: true, autocomplete: "off"})),
        h("label", {class: "field stacked"}, "Days that it works; empty: until it is revoked", h("input", {class: "input", name: "days", type: "number", min: 1, max: 3650, step: 1})),
      ],
      ask: async (form) => {
        const days = form.get("days") ? Number(form.get("days")) : null;
        const made = await post("/api/tokens", {name: form.get("name").trim(), days});
        await this.#load();
        showOnce(`The token ${made.name}`, "It is shown this once: keep it where only the script can read it.", made.secret);
      },
    });
  }
}

customElements.define("selects-people", People);

// A secret that is told once, ready to be copied.
function showOnce(title, words, secret) {
  const field = h("input", {class: "input people-secret", readOnly: true, value: secret, "aria-label": title, onfocus: () => field.select()});
  const copy = button("Copy", async () => {
    field.select();
    // Only pages of this machine or by https have a clipboard; others have the keys.
    await navigator.clipboard?.writeText(secret).then(() => toast("Copied."), () => undefined);
  });
  const dialog = openDialog({title, confirm: "Done", ask: () => undefined, body: [h("p", {class: "wrap"}, words), h("div", {class: "people-once"}, field, copy)]});
  dialog.querySelector(".actions button").remove();
  field.focus();
}

function roles(chosen, label) {
  return h("select", {class: "input", name: "role", "aria-label": label}, Object.keys(ROLES).map((name) => h("option", {value: name, selected: name === chosen, title: ROLES[name]}, name)));
}

const day = (moment) => new Date(moment).toLocaleDateString(undefined, {day: "numeric", month: "short", year: "numeric"});
