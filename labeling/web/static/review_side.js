// What stands beside the clip: where it is from, how it scores and why, the nearest that were judged, what is being said.

import {mediaOf} from "./api.js";
import {button, h} from "./dom.js";
import {clock, score, timecode} from "./words.js";

const MOST_REASONS = 3;

export class ReviewSide {
  #lines = [];
  #line = null;

  // `untrim` gives the clip its own ends again.
  constructor({untrim}) {
    this.title = h("a", {class: "review-title"});
    this.count = h("p", {class: "small muted num"});
    this.span = h("p", {class: "num"});
    this.trimmed = h("span", {class: "small viral num"});
    this.cut = h("p", {class: "review-cut", hidden: true}, this.trimmed, button("Undo", untrim, {kind: "plain small", title: "The clip's own ends again (Esc)"}));
    this.score = h("p", {class: "review-score num"});
    this.blocks = h("dl", {class: "review-blocks small"});
    this.why = h("ul", {class: "review-why small muted"});
    this.near = {approved: nearView("approved"), rejected: nearView("rejected")};
    this.line = h("p", {class: "review-line", "aria-label": "What is being said"});
    this.element = h("aside", {class: "review-side", "aria-label": "About this clip"},
      h("header", {}, this.count, this.title, this.span, this.cut), h("div", {class: "review-scored"}, this.score, this.blocks), this.why,
      h("section", {class: "review-near"}, h("h2", {class: "small muted"}, "Most like this"), this.near.approved.element, this.near.rejected.element), this.line);
  }

  show({candidate, movie}) {
    const title = movie.year ? `${movie.title} (${movie.year})` : movie.title;
    this.title.textContent = this.title.title = title;
    this.title.href = `/movies/${movie.id}?t=${candidate.start_s.toFixed(3)}`;
    this.#scored(candidate);
    this.why.replaceChildren(...candidate.reasons.slice(0, MOST_REASONS).map((reason) => h("li", {class: "wrap", title: reason}, reason)));
    this.context(null);
  }

  // The window as it is now; `own` is what the clip was.
  window(film, window, own) {
    const {time, movie} = film, from = time.secondOf(window.start), to = time.secondOf(window.end);
    const trimmed = window.start !== own.start || window.end !== own.end, code = (frame) => timecode(frame, time.rate, movie.start_timecode);
    this.span.textContent = `${clock(from)} – ${clock(to)} (${clock(to - from)})`;
    this.span.title = `${code(window.start)} – ${code(window.end)}`;
    this.cut.hidden = !trimmed;
    this.trimmed.textContent = trimmed ? `trimmed: in ${change(time, own.start, window.start)}, out ${change(time, own.end, window.end)}` : "";
  }

  // Null while it is not known.
  context(found) {
    this.#lines = found?.lines ?? [];
    this.#line = null;
    this.line.textContent = "";
    for (const name of ["approved", "rejected"]) this.near[name].show(found?.[name] ?? null, Boolean(found));
  }

  set second(second) {
    const line = this.#lines.find((each) => second >= each.start_s && second < each.end_s) ?? null;
    if (line === this.#line) return;
    this.#line = line;
    this.line.textContent = line ? `“${line.text}”` : "";
  }

  // Plays the nearest clips, or stops them.
  compare() {
    const views = Object.values(this.near), playing = views.some((view) => view.playing);
    for (const view of views) view.play(!playing);
  }

  #scored({score: value, band, viral, compelling, model, explanation}) {
    const told = model === "prior" ? "prior, relative to this film" : model ? `model ${model}` : "";
    const words = value === null ? ["not scored"] : [h("strong", {class: band}, `${score(value)} ${band}`), h("span", {class: "small muted"}, told)];
    this.score.replaceChildren(...words);
    this.score.title = value === null ? "" : `viral ${score(viral)}, compelling ${score(compelling)}`;
    const parts = Object.entries(explanation), most = Math.max(0.01, ...parts.map(([, part]) => Math.abs(part)));
    this.blocks.replaceChildren(...parts.flatMap(([name, part]) => [h("dt", {}, name),
      h("dd", {class: "num", title: `Without ${name} the score would be ${score(value - part)}`},
        h("span", {class: `review-bar ${part < 0 ? "less" : ""}`}, h("span", {style: `width: ${100 * Math.abs(part) / most}%`})), signed(part))]));
  }
}

// A clip that was judged: a picture that plays under the mouse, on focus, and on a tap.
function nearView(label) {
  const picture = h("img", {alt: "", decoding: "async", hidden: true}), words = h("figcaption", {class: "small muted"});
  const frame = h("button", {type: "button", class: "review-near-picture", "aria-label": `Play the most alike of the ${label}`, disabled: true}, picture);
  const view = {element: h("figure", {}, frame, words), playing: false, near: null};
  let video = null;
  const stop = () => {
    video?.remove();
    video?.removeAttribute("src");
    video?.load();
    video = null;
    view.playing = false;
  };
  view.play = (on) => {
    stop();
    if (!on || !view.near) return;
    const {candidate} = view.near;
    view.playing = true;
    video = h("video", {muted: true, playsInline: true, preload: "auto", tabIndex: -1, src: mediaOf(candidate.movie_id), disableRemotePlayback: true});
    video.currentTime = candidate.start_s;
    video.addEventListener("timeupdate", () => { if (video && video.currentTime >= candidate.end_s) video.currentTime = candidate.start_s; });
    frame.append(video);
    video.play().catch(() => undefined);
  };
  view.show = (near, known) => {
    stop();
    view.near = near;
    frame.disabled = !near;
    picture.hidden = !near?.picture;
    if (near?.picture) picture.src = near.picture;
    const {candidate} = near ?? {};
    words.textContent = near ? `${label} · ${clock(candidate.end_s - candidate.start_s)}` : known ? `${label}: none yet` : label;
    words.title = near ? `${candidate.movie_title}, ${clock(candidate.start_s)} – ${clock(candidate.end_s)}; likeness ${near.similarity.toFixed(2)}` : "";
  };
  frame.addEventListener("click", () => view.play(!view.playing));
  frame.addEventListener("pointerenter", (event) => event.pointerType === "mouse" && view.play(true));
  frame.addEventListener("pointerleave", (event) => event.pointerType === "mouse" && stop());
  return view;
}

function change(time, own, now) {
  const seconds = time.secondOf(now) - time.secondOf(own);
  return now === own ? "kept" : `${seconds > 0 ? "+" : "−"}${Math.abs(seconds).toFixed(1)} s`;
}

const signed = (value) => `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(2)}`;
