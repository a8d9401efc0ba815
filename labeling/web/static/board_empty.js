// Why there is nothing on the board, and what helps.

import {get, post, withQuery} from "./api.js";
import {boot, mayEdit} from "./boot.js";
import {VIEWS} from "./board_words.js";
import {button, h, openDialog} from "./dom.js";
import {jobs} from "./jobs.js";
import {toast} from "./toasts.js";

// What to show in place of an empty board; null where something is filtered away.
export async function whyEmpty({kind, q, scene}) {
  if (!boot.project) return say("You are in no project yet", "Ask somebody to invite you.");
  if (q) return say("Nothing is called that.", "Another word, or none, shows more.");
  if (scene) return say("Nobody was seen here.", "No face was found in the shots of this place.", h("a", {class: "button", href: `/board?kind=character`}, "Everybody"));
  const scope = {project: boot.project, limit: 1};
  const [films, ready, places, noise] = await Promise.all([get(withQuery("/api/movies", scope)), get(withQuery("/api/movies", {...scope, state: "ready"})),
    get(withQuery("/api/clusters", {...scope, kind: "scene"})), get(withQuery("/api/noise", {...scope, kind: "scene"}))]);
  if (!films.total) return say("No films yet", "When a film is analysed, its shots are put together here by where they are and who is in them.", h("a", {class: "button main", href: "/"}, "To the library"));
  if (!ready.total) return say("The films are still being analysed", "Their shots appear here as soon as they are known. This page goes on by itself.", h("a", {class: "button", href: "/"}, "To the library"));
  if (kind === "character" && places.total + noise.total) return say("No faces were found", "Nobody looks into the camera in these films, or the faces are too small to tell apart.", h("a", {class: "button", href: "/board"}, "Places"));
  return say("The films are not clustered yet", `Clustering puts shots that show one place together, and people by their faces. It runs in the background; nothing that somebody corrected is ever lost.`,
    mayEdit() ? button("Cluster now", () => refresh(kind), {kind: "main"}) : h("p", {}, "A curator of this project can start it."));
}

function say(head, words, act = null) {
  return [h("h2", {class: "board-empty-head"}, head), h("p", {class: "muted"}, words), act].filter(Boolean);
}

export async function refresh(kind) {
  await post(withQuery("/api/clusters/refresh", {project: boot.project, kind}));
  toast("Clustering runs; the board shows it as soon as it is done.");
  jobs.look();
}

export function askRefresh(kind) {
  const {more} = VIEWS[kind];
  openDialog({
    title: `Cluster all ${more} anew?`, confirm: "Cluster anew",
    body: [h("p", {class: "wrap"}, `Everything is put together from the start, with all that people have corrected: what they moved stays where they put it, what they took out never comes back, and ${more} with a name keep it. The rest may lie elsewhere afterwards, and ${more} without a name may go.`),
      h("p", {class: "wrap muted"}, "It runs in the background. New films are added without this.")],
    ask: () => refresh(kind),
  });
}
