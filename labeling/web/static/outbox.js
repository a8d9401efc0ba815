// What a curator decided, until the server has it: kept in this browser and sent in order, again and again until it is answered.

import {post} from "./api.js";
import {boot} from "./boot.js";

const DATABASE = "selects", STORE = "outbox";
const FIRST_WAIT_MS = 500, LONGEST_WAIT_MS = 10000, PATIENCE_MS = 15000;
const UNDOABLE = 10;
const PASSING = [0, 401, 408, 429];

// Events: "change"; "refused" with {record, message}: the server will never take it.
// A record: {key, person, project, kind: "decision" or "undo", of (key of what is undone), body, item, sent, id, at, final}.
class Outbox extends EventTarget {
  #database = null;
  #records = [];
  #trouble = "";
  #tries = 0;
  #pumping = false;
  #wake = () => undefined;

  // Reads what this person left unsent here, and begins to send it.
  start() {
    this.ready ??= this.#open();
    return this.ready;
  }

  async #open() {
    this.#database = await openDatabase().catch(() => null);
    const kept = this.#database ? await readAll(this.#database) : [];
    this.#records = [...kept.filter((each) => each.person === boot.person), ...this.#records];
    for (const event of ["online", "focus"]) addEventListener(event, () => this.hurry());
    document.addEventListener("visibilitychange", () => this.hurry());
    // Without a place to keep it, leaving would lose it.
    addEventListener("beforeunload", (event) => !this.#database && this.waiting && event.preventDefault());
    this.#changed();
    this.#pump();
  }

  get waiting() {
    return this.#records.filter((each) => !each.sent).length;
  }

  // Why nothing goes out at the moment; "" while all is well.
  get trouble() {
    return this.#trouble;
  }

  // What can be taken back, the newest last.
  get undoable() {
    const gone = new Set(this.#records.filter((each) => each.kind === "undo").map((each) => each.of));
    return this.#records.filter((each) => each.kind === "decision" && each.project === boot.project && !each.final && !gone.has(each.key));
  }

  // Whether something was said of a candidate that a server, asked at `began`, may not have known of.
  isDecided(candidate, began) {
    const said = this.#records.filter((each) => each.kind === "decision" && each.item.candidate.id === candidate).at(-1);
    if (!said || this.#records.some((each) => each.of === said.key)) return false;
    return !said.sent || said.sent > began;
  }

  decide(item, body) {
    const key = newKey();
    for (const old of this.undoable.slice(0, 1 - UNDOABLE)) old.final = true;
    return this.#add({kind: "decision", key, item, body: {...body, candidate: item.candidate.id, key}});
  }

  undo(record) {
    return this.#add({kind: "undo", key: newKey(), of: record.key});
  }

  #add(values) {
    const at = Math.max(Date.now(), (this.#records.at(-1)?.at ?? 0) + 1);
    const record = {...values, person: boot.person, project: boot.project, sent: 0, id: null, at};
    this.#records.push(record);
    record.stored = this.#store(record);
    this.#changed();
    this.hurry();
    this.#pump();
    return record;
  }

  async #pump() {
    if (this.#pumping) return;
    this.#pumping = true;
    for (let record = this.#first(); record; record = this.#first()) {
      await record.stored;
      if (!(await this.#send(record))) await this.#pause();
    }
    this.#pumping = false;
  }

  #first() {
    return this.#records.find((each) => !each.sent);
  }

  // Whether the next may be sent.
  async #send(record) {
    const signal = AbortSignal.timeout(PATIENCE_MS);
    try {
      if (record.kind === "decision") record.id = (await post("/api/decisions", record.body, {signal})).id;
      else {
        const of = this.#records.find((each) => each.key === record.of);
        if (of?.id) await post(`/api/decisions/${of.id}/undo`, undefined, {signal});
      }
    } catch (error) {
      if (!(error.status >= 400 && error.status < 500) || PASSING.includes(error.status)) {
        this.#trouble = error.status ? error.message : "No connection.";
        this.#changed();
        return false;
      }
      await this.#drop([record.key]);
      this.dispatchEvent(new CustomEvent("refused", {detail: {record, message: error.message}}));
      return true;
    }
    this.#trouble = "";
    this.#tries = 0;
    record.sent = Date.now();
    await this.#store(record);
    await this.#forget();
    this.#changed();
    return true;
  }

  // Ends at once when the connection is back, or something new is to be sent.
  #pause() {
    const wait = Math.min(FIRST_WAIT_MS * 2 ** this.#tries++, LONGEST_WAIT_MS);
    return new Promise((resolve) => {
      this.#wake = resolve;
      setTimeout(resolve, wait);
    });
  }

  // Sends at once what waits for its time.
  hurry() {
    this.#wake();
  }

  // What is saved and can be undone no more is not kept; what was undone goes with its undo.
  async #forget() {
    const needed = new Set([...this.undoable, ...this.#records.filter((each) => !each.sent)].flatMap((each) => [each.key, each.of]));
    await this.#drop(this.#records.filter((each) => each.sent && !needed.has(each.key)).map((each) => each.key));
  }

  async #drop(keys) {
    this.#records = this.#records.filter((each) => !keys.includes(each.key));
    if (this.#database && keys.length) await inStore(this.#database, "readwrite", (store) => keys.forEach((key) => store.delete(key))).catch(() => undefined);
    this.#changed();
  }

  // A browser without room keeps it in memory only: it goes out all the same.
  async #store({stored, ...record}) {
    if (this.#database) await inStore(this.#database, "readwrite", (store) => store.put(record)).catch(() => undefined);
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }
}

export const outbox = new Outbox();

// crypto.randomUUID is there on secure pages only, and a server in the house has none.
function newKey() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

function openDatabase() {
  const asked = indexedDB.open(DATABASE, 1);
  asked.onupgradeneeded = () => asked.result.createObjectStore(STORE, {keyPath: "key"});
  return answered(asked);
}

async function readAll(database) {
  const found = await answered(database.transaction(STORE).objectStore(STORE).getAll()).catch(() => []);
  return found.sort((one, other) => one.at - other.at);
}

function inStore(database, mode, work) {
  return new Promise((resolve, reject) => {
    const transaction = database.transaction(STORE, mode, {durability: "strict"});
    work(transaction.objectStore(STORE));
    transaction.oncomplete = () => resolve();
    transaction.onabort = transaction.onerror = () => reject(transaction.error);
  });
}

function answered(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = request.onblocked = () => reject(request.error);
  });
}
