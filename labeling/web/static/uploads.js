// Films on their way to the server, two at a time; they go on while the person looks at other pages.

import {failure} from "./api.js";
import {boot} from "./boot.js";
import {jobs} from "./jobs.js";
import {bytes, left} from "./words.js";

const AT_ONCE = 2;
const TOLD_EVERY_MS = 250;
const KEPT = "selects:uploads";
// Answers after which the same file may be taken another time; others are about the file.
const PASSING = [401, 408, 409, 429];
export const TYPES = ".3gp,.avi,.dv,.flv,.m2ts,.m2v,.m4v,.mkv,.mov,.mp4,.mpeg,.mpg,.mts,.mxf,.nut,.ogm,.ogv,.ts,.vob,.webm,.wmv".split(",");

// One file: state is waiting, sending, arrived (the server takes it in), done or failed.
class Upload {
  constructor(id, file, project) {
    Object.assign(this, {id, file, project, state: "waiting", sent: 0, problem: "", refused: false, movie: null, request: null, began: 0});
  }

  get fraction() {
    return this.file.size ? this.sent / this.file.size : 0;
  }

  get words() {
    if (this.state === "waiting") return "waits for the others";
    if (this.state === "arrived") return "taking it in";
    const seconds = (performance.now() - this.began) / 1000, speed = this.sent / Math.max(seconds, 0.001);
    if (this.sent === 0 || seconds < 0.5) return "uploading";
    return `uploading · ${bytes(speed)}/s · ${left((this.file.size - this.sent) / speed)}`;
  }
}

// "change": something has changed. "added": detail is {movie, job, known}.
class Uploads extends EventTarget {
  all = [];
  #next = 1;
  #told = 0;

  get open() {
    return this.all.filter((upload) => !["done", "failed"].includes(upload.state));
  }

  of(project) {
    return this.all.filter((upload) => upload.project === project && upload.state !== "done");
  }

  add(files) {
    for (const file of files) this.all.push(new Upload(this.#next++, file, boot.project));
    this.#go();
  }

  cancel(upload) {
    upload.request?.abort();
    this.forget(upload);
  }

  // The person goes; what is on its way ends with the page.
  stop() {
    this.all = [];
    this.#tell();
  }

  forget(upload) {
    this.all = this.all.filter((other) => other !== upload);
    this.#go();
  }

  again(upload) {
    Object.assign(upload, {state: "waiting", problem: "", sent: 0});
    this.#go();
  }

  #go() {
    const busy = this.open.filter((upload) => upload.state !== "waiting").length;
    this.open.filter((upload) => upload.state === "waiting").slice(0, Math.max(0, AT_ONCE - busy)).forEach((upload) => this.#send(upload));
    this.#tell();
  }

  #send(upload) {
    if (upload.file.size > boot.upload_limit_bytes) {
      return this.#fail(upload, `It is larger than ${bytes(boot.upload_limit_bytes)}, the most that the server takes.`, true);
    }
    const form = new FormData(), request = new XMLHttpRequest();
    form.append("project", upload.project);
    form.append("file", upload.file, upload.file.name);
    Object.assign(upload, {state: "sending", request, began: performance.now()});
    request.upload.addEventListener("progress", (event) => {
      upload.sent = Math.min(event.loaded, upload.file.size);
      if (performance.now() - this.#told > TOLD_EVERY_MS) this.#tell();
    });
    request.upload.addEventListener("load", () => { upload.state = "arrived"; upload.sent = upload.file.size; this.#tell(); });
    request.addEventListener("load", () => this.#answered(upload, request));
    request.addEventListener("error", () => this.#fail(upload, "The connection was lost; try again."));
    request.open("POST", "/api/movies");
    request.send(form);
    return undefined;
  }

  #answered(upload, request) {
    let said = {};
    try {
      said = JSON.parse(request.responseText);
    } catch {
      // A proxy in front may answer with a page of its own.
    }
    if (request.status >= 300) return this.#fail(upload, failure(request.status, said).message, request.status < 500 && !PASSING.includes(request.status));
    upload.state = "done";
    upload.movie = said.movie;
    this.forget(upload);
    this.dispatchEvent(new CustomEvent("added", {detail: said}));
    jobs.look();
    return undefined;
  }

  // `refused`: the file is what is wrong, and would be refused again.
  #fail(upload, problem, refused = false) {
    Object.assign(upload, {state: "failed", problem, refused, request: null});
    this.#go();
  }

  #tell() {
    this.#told = performance.now();
    keep(this.all.filter((upload) => upload.state !== "done" && !upload.refused).map((upload) => upload.file.name));
    this.dispatchEvent(new Event("change"));
  }
}

// The files that were on their way when this window was loaded anew: no script gets them back, only the person does.
export const cutOff = kept();
export const uploads = new Uploads();

addEventListener("beforeunload", (event) => uploads.open.length && event.preventDefault());

// The files that were dropped, and those that `wanted` takes of the folders.
export async function filesOf(transfer, wanted = () => true) {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  if (!entries.length) return [...transfer.files];
  return (await Promise.all(entries.map((entry) => filesIn(entry, entry.isFile ? () => true : wanted)))).flat();
}

export const isFilm = (name) => TYPES.some((type) => name.toLowerCase().endsWith(type));

async function filesIn(entry, wanted) {
  if (entry.isFile) return entry.name.startsWith(".") || !wanted(entry.name) ? [] : [await new Promise((done, failed) => entry.file(done, failed))];
  const reader = entry.createReader(), found = [];
  for (;;) {
    const part = await new Promise((done, failed) => reader.readEntries(done, failed));
    if (!part.length) return (await Promise.all(found.map((each) => filesIn(each, wanted)))).flat();
    found.push(...part);
  }
}

function keep(names) {
  try {
    if (names.length) sessionStorage.setItem(KEPT, JSON.stringify(names));
    else sessionStorage.removeItem(KEPT);
  } catch {
    // A browser that keeps nothing forgets; nothing else is lost.
  }
}

function kept() {
  try {
    const names = JSON.parse(sessionStorage.getItem(KEPT)) ?? [];
    sessionStorage.removeItem(KEPT);
    return names;
  } catch {
    return [];
  }
}
