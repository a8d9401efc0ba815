// Review: one clip after the other, judged by keys. What is decided goes out by the outbox; the next clip is there already.

import {get, mediaOf, withQuery} from "./api.js";
import {boot, mayEdit, remember, remembered} from "./boot.js";
import {Deck} from "./deck.js";
import {afterPaint, button, h, openDialog, token} from "./dom.js";
import {FilmTime} from "./film_time.js";
import {Hand} from "./hand.js";
import {jobs} from "./jobs.js";
import {outbox} from "./outbox.js";
import {NothingLeft} from "./review_done.js";
import {KEYS, reviewKeys} from "./review_keys.js";
import {ReviewProblem} from "./review_problem.js";
import {ReviewReasons} from "./review_reasons.js";
import {ReviewSide} from "./review_side.js";
import {SavedState} from "./review_saved.js";
import {toast} from "./toasts.js";
import {moved} from "./trim.js";
import {TrimStrip} from "./trim_strip.js";
import {many, rateOf} from "./words.js";

const VERDICTS = {approve: "approved", reject: "rejected", skip: "skipped", flag: "flagged"};
const LONGEST_SPENT_S = 86400;

class Review extends HTMLElement {
  #stop = null;
  #shown = null;
  #before = null;
  #film = null;
  #window = null;
  #spent = {since: 0, s: 0};
  #troubled = false;

  async connectedCallback() {
    document.title = "Review · Selects";
    this.#stop = new AbortController();
    const {signal} = this.#stop;
    if (!this.deck) this.#build();
    if (!mayEdit()) return this.nothing.refuse();
    this.#listen(signal);
    this.#wake();
    await outbox.start();
    if (!signal.aborted) await this.hand.start();
    return undefined;
  }

  disconnectedCallback() {
    this.#stop.abort();
    this.hand.stop();
    this.nothing.stop();
    this.#rest();
  }

  #build() {
    this.className = "page review";
    this.hand = new Hand(boot.project);
    this.deck = new Deck();
    this.side = new ReviewSide({untrim: () => this.untrim()});
    this.reasons = new ReviewReasons();
    this.saved = new SavedState();
    this.strip = new TrimStrip({seek: (second) => this.deck.seek(second), change: (window) => this.#trim(window)});
    this.nothing = new NothingLeft(() => this.hand.fill());
    this.quiet = h("button", {type: "button", class: "review-quiet", onclick: () => this.mute()}, "Muted until your first key or tap, as browsers want it");
    this.problem = new ReviewProblem(this.deck);
    this.picture = h("div", {class: "review-picture"}, this.deck.element, this.problem.element, this.quiet);
    this.picture.addEventListener("click", (event) => event.target.closest(".deck") && this.deck.toggle());
    this.replaceChildren(h("h1", {class: "sr"}, "Review"), this.nothing.element,
      this.view = h("div", {class: "review-view", hidden: true}, this.picture, this.side.element, this.strip.element, this.reasons.element, this.#bar()));
    this.nothing.loading();
    const muted = remembered("muted", false) || !navigator.userActivation?.hasBeenActive;
    this.deck.addEventListener("sound", () => this.#tellSound());
    this.deck.sound(muted, remembered("volume", 1));
  }

  #bar() {
    const act = (words, keys, run, kind) => button(words, run, {kind: `verdict said-${kind}`, title: `${words} (${keys})`, "aria-keyshortcuts": keys});
    const key = (element, name) => (element.append(h("kbd", {}, name)), element);
    this.undoer = key(act("Undo", "Backspace", () => this.undo(), "undo"), "⌫");
    this.muter = button("", () => this.mute(), {kind: "plain", symbol: "mute", title: "Sound on or off (m)"});
    return h("div", {class: "review-bar-row", role: "toolbar", "aria-label": "What you say of the clip"},
      key(act("Approve", "A", () => this.decide("approve"), "approve"), "A"), key(act("Reject", "X", () => this.decide("reject"), "reject"), "X"),
      key(act("Skip", "Space", () => this.decide("skip"), "skip"), "space"), key(act("Flag", "F", () => this.decide("flag"), "flag"), "F"), this.undoer,
      this.saved.element, h("a", {class: "button plain", href: "/agreement"}, "Agreement"), this.muter, button("", () => this.showKeys(), {kind: "plain", symbol: "keys", title: "All keys (?)"}));
  }

  #listen(signal) {
    reviewKeys(this, signal);
    this.addEventListener("pointerdown", () => this.heard(), {signal});
    document.addEventListener("visibilitychange", () => (document.hidden ? this.#rest() : this.#wake()), {signal});
    this.deck.addEventListener("time", ({detail}) => { this.strip.second = detail; this.side.second = detail; }, {signal});
    this.problem.listen(signal, () => { outbox.hurry(); this.hand.fill(); });
    this.hand.addEventListener("change", () => { this.#show(); this.#count(); }, {signal});
    this.hand.addEventListener("nothing", () => { this.#show(); this.nothing.show(); }, {signal});
    this.hand.addEventListener("trouble", ({detail}) => this.hand.current || this.nothing.trouble(detail), {signal});
    outbox.addEventListener("change", () => this.#tellSaved(), {signal});
    outbox.addEventListener("refused", ({detail}) => this.#refused(detail), {signal});
    jobs.addEventListener("ended", () => this.hand.fill(), {signal});
    this.#tellSaved();
  }

  // The clip that is to be judged now, if it is another; the others are made ready.
  #show({kept = null} = {}) {
    const item = this.hand.current, other = item?.candidate.id !== this.#shown?.candidate.id;
    this.view.hidden = !item;
    if (!item) return this.#empty();
    this.nothing.hide();
    const ready = [this.hand.next[0], this.#before, ...this.hand.next.slice(1)].filter(Boolean).map(clipOf);
    if (!other) {
      if (!this.#film.shots.length) this.#context(item);
      return this.deck.show({...clipOf(item), ...this.#seconds()}, ready);
    }
    this.#shown = item;
    this.#film = filmOf(item, []);
    this.#window = kept?.window ?? ownWindow(item);
    this.deck.show({...clipOf(item), ...this.#seconds()}, ready);
    this.#spent = {since: performance.now(), s: 0};
    this.reasons.show(kept?.reasons ?? [], kept?.text ?? "");
    return afterPaint(() => item === this.#shown && this.#beside(item));
  }

  // What stands beside a clip comes after its picture, which is waited for; what is to be fetched, once it plays.
  #beside(item) {
    this.side.show(item);
    this.strip.show(null, this.#window);
    this.#tellWindow();
    this.deck.afterPicture(() => item === this.#shown && (this.hand.prepare(), this.#context(item)));
  }

  async #context(item) {
    const found = await this.hand.context(item);
    if (!found || item !== this.#shown) return;
    this.#film = filmOf(item, found.shots);
    this.side.context(found);
    this.strip.show(this.#film, this.#window);
    this.#tellWindow();
    for (const next of this.hand.next.slice(0, 1)) loadPictures(await this.hand.context(next));
  }

  #empty() {
    this.#shown = this.#before = null;
    this.deck.clear();
    this.nothing.loading();
  }

  decide(verdict) {
    const item = this.#shown;
    if (!item || item !== this.hand.current || this.problem.holds()) return;
    const said = {verdict, ...this.reasons.value, spent_s: this.#spentSeconds()}, own = ownWindow(item);
    const trimmed = this.#window.start !== own.start || this.#window.end !== own.end;
    if (trimmed && verdict === "approve") Object.assign(said, {start_frame: this.#window.start, end_frame: this.#window.end});
    this.#before = item;
    this.hand.advance();
    this.#show();
    outbox.decide(item, said);
    if (!this.#shown) this.hand.fill();
    this.#flash(verdict);
    this.saved.did(VERDICTS[verdict]);
  }

  undo() {
    const record = outbox.undoable.at(-1);
    if (!record) return void toast("There is nothing to undo.");
    const {item, body} = record, own = ownWindow(item);
    this.#before = outbox.undoable.at(-2)?.item ?? null;
    this.hand.putBack(item);
    const window = body.start_frame === undefined ? own : {start: body.start_frame, end: body.end_frame};
    this.#shown = null;
    this.#show({kept: {window, reasons: body.reasons, text: body.text}});
    outbox.undo(record);
    this.saved.did(`${VERDICTS[body.verdict]} taken back`);
  }

  // `step`: 1 later, -1 earlier.
  trimBy(which, step, byFrame) {
    if (!this.#shown) return;
    if (!this.#film.shots.length) return void toast("The cuts of this clip are still on their way.");
    this.#trim(moved(this.#film, this.#window, which, step, {byFrame}));
  }

  untrim() {
    if (this.#shown) this.#trim(ownWindow(this.#shown));
  }

  toggleReason(number) {
    if (this.#shown) this.reasons.toggle(number);
  }

  #trim(window) {
    const changed = window.start !== this.#window.start || window.end !== this.#window.end;
    this.#window = window;
    if (changed) this.deck.trim(this.#seconds());
    this.strip.show(this.#film, window);
    this.#tellWindow();
  }

  #seconds() {
    const {time} = this.#film;
    return {start: time.secondOf(this.#window.start), end: time.secondOf(this.#window.end)};
  }

  #tellWindow() {
    this.side.window(this.#film, this.#window, ownWindow(this.#shown));
  }

  #tellSaved() {
    this.saved.tell(outbox.waiting, outbox.trouble);
    // What could not be had meanwhile is asked for again.
    if (this.#troubled && !outbox.trouble) this.hand.fill();
    this.#troubled = Boolean(outbox.trouble);
    this.undoer.disabled = !outbox.undoable.length;
  }

  #refused({record, message}) {
    const what = record.kind === "undo" ? "The undo" : `“${VERDICTS[record.body.verdict]}” of ${record.item.movie.title}`;
    toast(`${what} could not be saved: ${message}`, {problem: true});
    this.saved.did("");
    this.#tellSaved();
    // What it was refused for may hold for others: a film that is gone takes all its clips along.
    this.hand.fill();
  }

  // How much was done and is left; what is not heard of is not said.
  async #count() {
    const facts = await get(withQuery("/api/queue", {project: this.hand.project})).catch(() => null);
    if (facts) this.side.count.textContent = `${facts.decided.toLocaleString("en")} judged in 24 hours · ${many(facts.left + facts.waiting, "clip")} left`;
  }

  // The frame of the picture in the verdict's colour, for a moment.
  #flash(verdict) {
    const duration = this.quick ??= token("--quick"); // once: to ask has the browser do its styles before the picture
    this.picture.dataset.said = verdict;
    clearTimeout(this.flashing);
    this.flashing = setTimeout(() => delete this.picture.dataset.said, duration);
  }

  // The first key or touch allows sound.
  heard() {
    if (this.heardOnce) return;
    this.heardOnce = true;
    this.deck.sound(remembered("muted", false), this.deck.volume);
  }

  mute() {
    const waiting = !this.quiet.hidden && !this.heardOnce;
    this.heardOnce = true;
    const muted = waiting ? false : !this.deck.muted;
    remember("muted", muted);
    this.deck.sound(muted, this.deck.volume);
  }

  #tellSound() {
    this.quiet.hidden = !this.deck.muted || remembered("muted", false);
    this.muter?.querySelector("use").setAttribute("href", `${boot.static}/icons.svg#${this.deck.muted ? "mute" : "sound"}`);
    this.muter?.setAttribute("aria-pressed", String(this.deck.muted));
  }

  #spentSeconds() {
    const running = this.#spent.since ? (performance.now() - this.#spent.since) / 1000 : 0;
    return Math.min(LONGEST_SPENT_S, Number((this.#spent.s + running).toFixed(2)));
  }

  #rest() {
    this.#spent = {since: 0, s: this.#spentSeconds()};
    this.deck.rest();
  }

  #wake() {
    if (!this.#spent.since) this.#spent.since = performance.now();
    this.deck.wake();
    if (this.hand.current) this.hand.fill();
  }

  showKeys() {
    const rows = KEYS.flatMap(([keys, words]) => [h("dt", {}, keys), h("dd", {}, words)]);
    const dialog = openDialog({title: "Keys", confirm: "Close", ask: () => undefined, body: [h("dl", {class: "keys"}, rows)]});
    dialog.querySelector(".actions button").remove();
  }
}

customElements.define("selects-review", Review);

const ownWindow = ({candidate}) => ({start: candidate.start_frame, end: candidate.end_frame});

// Without shots the clip's own seconds tell how long a frame is.
function filmOf({candidate, movie}, shots) {
  const known = shots.length ? shots : [{...candidate, picture: null}];
  return {movie, shots, time: new FilmTime({...movie, duration_s: Infinity}, known)};
}

function clipOf({candidate, movie}) {
  const {id, start_s: start, end_s: end} = candidate;
  return {key: id, source: mediaOf(movie.id), start, end, frame: 1 / rateOf(movie.rate)};
}

function loadPictures(context) {
  for (const shot of context?.shots ?? []) if (shot.picture) new Image().src = shot.picture;
}
