// What tests do inside a page, beside pressing keys and moving the mouse.

const staticFiles = () => JSON.parse(document.getElementById("boot").textContent).static;

window.inPage = {
  // Drops the file that lies at an address on an element, as the mouse would.
  async drop([selector, address, name, type]) {
    const blob = await (await fetch(address)).blob(), carried = new DataTransfer();
    carried.items.add(new File([blob], name, {type}));
    for (const step of ["dragenter", "dragover", "drop"]) {
      document.querySelector(selector).dispatchEvent(new DragEvent(step, {dataTransfer: carried, bubbles: true, cancelable: true}));
    }
  },

  // The grey values of the picture in the player.
  picture(selector = "selects-player video") {
    const video = document.querySelector(selector), {videoWidth: width, videoHeight: height} = video;
    const ctx = new OffscreenCanvas(width, height).getContext("2d");
    ctx.drawImage(video, 0, 0);
    const {data} = ctx.getImageData(0, 0, width, height);
    return {width, height, grey: Array.from({length: data.length / 4}, (_, at) => data[4 * at + 1])};
  },

  // How many colours a canvas shows.
  colours(selector) {
    const canvas = document.querySelector(selector);
    const {data} = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    return new Set(new Uint32Array(data.buffer)).size;
  },

  // The timeline's own event, which a click on it sends.
  seek(second) {
    document.querySelector("selects-timeline").dispatchEvent(new CustomEvent("seek", {detail: {second}}));
  },

  clips() {
    return [...document.querySelectorAll(".clip")].map((row) => row.dataset.key);
  },

  // How far below the top of the timeline the middle of the last clip's bar is, pixels.
  async lastBar() {
    const {rowsOf, laneOf} = await import(`${staticFiles()}/timeline_draw.js`);
    const lanes = laneOf(inPage.clips().map((key) => key.split("-").map(Number)).map(([start_s, end_s]) => ({start_s, end_s})));
    const rows = rowsOf(Math.max(...lanes) + 1);
    return rows.lanes.top + (lanes.at(-1) + 0.5) * rows.lane;
  },

  // What is wrong with the controls of the page: no name, out of reach of keys, too small.
  faults() {
    const controls = [...document.querySelectorAll("button, a[href], input:not(.sr), select, textarea, [role=slider]")];
    return controls.filter((each) => each.checkVisibility({contentVisibilityAuto: true})).flatMap((each) => {
      const {width, height} = each.getBoundingClientRect(), wrong = [];
      const name = each.getAttribute("aria-label") || each.innerText?.trim() || each.labels?.[0]?.innerText || each.title;
      if (!name) wrong.push("nameless");
      if (each.tabIndex < 0) wrong.push("not reached");
      if (each.tagName === "BUTTON" && Math.min(width, height) < 32) wrong.push(`small, ${width} x ${height}`);
      return wrong.map((what) => `${what}: ${each.outerHTML.slice(0, 120)}`);
    });
  },

  // Draws a timeline of so many shots again and again; gives milliseconds of work a time, sorted.
  async redraws(count) {
    const {FilmTime} = await import(`${staticFiles()}/film_time.js`), timeline = document.querySelector("selects-timeline");
    const many = (length, make) => Array.from({length}, (_, at) => make(at));
    const shots = many(count, (n) => ({
      number: n, scene: Math.floor(n / 14), start_frame: 75 * n, end_frame: 75 * n + 75, start_s: 3 * n, end_s: 3 * n + 3, keyframes: [], faces: n % 3,
    }));
    const movie = {id: 1, rate: "25/1", frames: 75 * count, duration_s: 3 * count, start_timecode: null};
    const scenes = many(Math.ceil(count / 14), (n) => ({number: n, start_s: 42 * n, end_s: 42 * n + 42}));
    const wave = many(3 * count, (n) => (1 + Math.sin(n / 90)) / 2), curve = {viral: wave, compelling: wave, score: wave};
    timeline.open({movie, shots, scenes, lines: shots, curve, time: new FilmTime(movie, shots)}, {mayEdit: true});
    const took = [], paint = () => new Promise((done) => requestAnimationFrame((began) => setTimeout(() => done(performance.now() - began))));
    for (let turn = 0; turn < 30; turn++) {
      timeline.zoom(turn % 2 ? 0.7 : 1.4);
      took.push(await paint());
    }
    return took.sort((one, other) => one - other);
  },
};
