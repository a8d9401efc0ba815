"""Makes the pictures of the guides anew, docs/images/*.png, from a real run on the real films.

    .venv/bin/python scripts/lib/pictures.py [NAME...] [--films FOLDER] [--home FOLDER] [--out docs/images]
    .venv/bin/python scripts/lib/pictures.py --look FOLDER [--home FOLDER]

A Selects of its own is started, the films are uploaded and analysed, some of their clips are judged, a list is made;
then a browser looks. `--home` keeps all that for the next time. `--look` writes every page instead, on a phone, a
tablet and a desk, dark and light: to be looked at before a change is done. Films, browser: as the tests find them.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, expect

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tests.browser import Site, open_page, problems_of, running_browser, running_site  # noqa: E402
from tests.command import COMMAND, environment  # noqa: E402

LONG, OTHER_CUT = "big_buck_bunny_360p.mp4", "festival_cut.mp4"
FACTS: dict[str, dict[str, Any]] = {
    LONG: {"title": "Big Buck Bunny", "year": 2008, "genres": ["comedy"]},
    "sintel_trailer_204p.mp4": {"title": "Sintel, trailer", "year": 2010, "genres": ["drama"]},
    "big_buck_bunny_trailer_360p.webm": {"title": "Big Buck Bunny, trailer", "year": 2008},
    "faces_stage_360p.mp4": {"title": "On stage"},
    "people_walking_432p.mp4": {"title": "People walking"},
}
ANALYSED_S = 1800
APPROVED, REJECTED = (1, 2, 4), 3
"""Of the long film, by rank; the others are left to be judged."""
PLACE = "The meadow"
LIST, NOTE = "Teaser, spring", "Start on the wind; fade before the title."
SETTLED_MS = 1500
DESK, PAPER = {"width": 1280, "height": 720}, {"width": 1280, "height": 960}
SIZES = {"390": (390, 844), "768": (768, 1024), "1440": (1440, 900)}


def furnish(site: Site, films: Path) -> None:
    """The films, judged clips and a list; what is there already stays."""
    known = {each["file"]: each for each in _films(site)}
    for name, facts in FACTS.items():
        if name not in known:
            with (films / name).open("rb") as content:
                added = site.api("POST", "/api/movies", files={"file": (name, content)})["movie"]
            site.api("PATCH", f"/api/movies/{added['id']}", json=facts)
    _wait_for_all(site)
    if not site.api("GET", "/api/lists")["items"]:
        _judge(site)
        _fill(site)
        _name_the_largest_place(site)


def _films(site: Site) -> list[dict[str, Any]]:
    return list(site.api("GET", "/api/movies", params={"limit": 100})["items"])


def _wait_for_all(site: Site) -> None:
    until = time.monotonic() + ANALYSED_S
    [project, *_] = site.api("GET", "/api/projects", params={"limit": 1})["items"]
    asked, open_ = {"project": project["id"], "limit": 100}, ("queued", "running", "cancelling")
    while any(job["state"] in open_ for job in site.api("GET", "/api/jobs", params=asked)["items"]):
        if time.monotonic() > until:
            raise SystemExit("pictures: the films are not analysed in time.")
        time.sleep(1)
    if problems := [each for each in _films(site) if each["state"] != "ready"]:
        raise SystemExit(f"pictures: not analysed: {problems}")


def _judge(site: Site) -> None:
    """Of every other film the best clip is approved; what is left to be judged is the long film's."""
    for film in _films(site):
        long = film["title"] == FACTS[LONG]["title"]
        for clip in site.api("GET", f"/api/movies/{film['id']}/candidates", params={"limit": 100})["items"]:
            if long and clip["rank"] not in (*APPROVED, REJECTED):
                continue
            approved = clip["rank"] in (APPROVED if long else (1,))
            verdict = "approve" if approved else "reject"
            said = {"candidate": clip["id"], "verdict": verdict, "key": f"picture-{clip['id']}"}
            site.api("POST", "/api/decisions", json=said)


def _fill(site: Site) -> None:
    rule = {"count": 6, "per_film": 3, "total_s": 600, "order": "score"}
    made = site.api("POST", "/api/lists/by-rule", json={"name": LIST, "target_s": 480, "rule": rule})
    path = f"/api/lists/{made['clip_list']['id']}/entries"
    first, *others = site.api("GET", path)["items"]
    site.api("PATCH", f"{path}/{first['id']}", json={"rights": "cleared"})
    noted = next(each for each in others if each["movie_title"].startswith("Sintel"))
    site.api("PATCH", f"{path}/{noted['id']}", json={"name": "The search begins", "note": NOTE})


def _name_the_largest_place(site: Site) -> None:
    [place, *_] = site.api("GET", "/api/clusters", params={"kind": "scene", "sort": "size"})["items"]
    site.api("PATCH", f"/api/clusters/{place['id']}", json={"name": PLACE})


def library(page: Page, site: Site, films: Path) -> None:
    """Films, one of them in work and the tray open."""
    page.goto(site.base + "/")
    # Another file with the same pictures is another film: something to be seen at work.
    content = (films / LONG).read_bytes() + b"\0"
    page.get_by_label("Films to upload").set_input_files(
        {"name": OTHER_CUT, "mimeType": "video/mp4", "buffer": content}
    )
    card = page.locator(".card", has_text="Festival cut")
    expect(card).to_contain_text("left")
    page.locator(".tray-button").click()
    expect(page.locator(".tray-panel")).to_contain_text("left")


def film(page: Page, site: Site, _films: Path) -> None:
    """The long film, its second clip chosen."""
    page.goto(f"{site.base}/movies/{_id_of(site, LONG)}")
    page.locator(".clip-main").nth(1).click()
    page.keyboard.press("Space")
    page.wait_for_timeout(SETTLED_MS)
    _still(page, "selects-player video", 3)


def review(page: Page, site: Site, _films: Path) -> None:
    """A clip with what stands beside it."""
    page.goto(site.base + "/review")
    page.wait_for_function("(v => v && v.readyState >= 2 && !v.paused)(document.querySelector('.deck video.on'))")
    expect(page.locator(".trim-strip img").first).to_be_visible()
    page.keyboard.press("c")
    page.keyboard.press("p")
    _still(page, ".deck video.on", 12)


def board(page: Page, site: Site, _films: Path) -> None:
    """Two shots of noise are dragged to a place."""
    page.goto(site.base + "/board")
    place = page.get_by_role("group", name=f"{PLACE}, ")
    noise = page.get_by_role("group", name="Noise").get_by_role("option")
    expect(place.get_by_role("option").first).to_be_visible()
    noise.nth(1).click()
    noise.nth(2).click(modifiers=["Control"])
    start, end = noise.nth(1).bounding_box(), place.bounding_box()
    assert start
    assert end
    page.mouse.move(start["x"] + start["width"] / 2, start["y"] + start["height"] / 2)
    page.mouse.down()
    page.mouse.move(end["x"] + end["width"] / 2, end["y"] + min(end["height"] / 2, 320), steps=8)


def clip_list(page: Page, site: Site, _films: Path) -> None:
    """The list, at its first clip."""
    page.goto(f"{site.base}/lists/{_list_of(site)}")
    expect(page.get_by_role("listbox", name="Clips").get_by_role("option").first).to_be_visible()
    expect(page.locator(".list-format").first).to_be_visible()
    page.wait_for_timeout(SETTLED_MS)
    _still(page, ".list-player video.on", 3, ahead=True)


def report(page: Page, site: Site, films: Path) -> None:
    """The page that `selects find --output` writes."""
    out = site.home / "report"
    if not (out / "report.html").is_file():
        words = [*COMMAND, "find", str(films / LONG), "--output", str(out)]
        subprocess.run(words, env=environment(site.home), check=True, stdout=subprocess.DEVNULL)
    page.goto((out / "report.html").as_uri())
    _still(page, "video", 2)


PICTURES: dict[str, Callable[[Page, Site, Path], None]] = {
    "film": film, "review": review, "board": board, "list": clip_list, "report": report, "library": library,
}  # fmt: skip
"""The library last: it leaves a film behind."""


def _still(page: Page, video: str, second: float, ahead: bool = False) -> None:
    """A player's picture so many seconds behind where it is, or behind the start of what it plays."""
    page.evaluate(
        """([video, second, ahead]) => new Promise((done) => {
             const player = document.querySelector(video);
             player.addEventListener("seeked", () => setTimeout(done, 300), {once: true});
             player.pause();
             player.currentTime = (ahead ? player.currentTime : Math.max(0, player.currentTime)) + second;
           })""",
        [video, second, ahead],
    )


def _id_of(site: Site, name: str) -> int:
    return next(each["id"] for each in _films(site) if each["title"] == FACTS[name]["title"])


def _list_of(site: Site) -> int:
    return next(each["id"] for each in site.api("GET", "/api/lists")["items"] if each["name"] == LIST)


def paint(site: Site, browser: Browser, names: list[str], films: Path, out: Path) -> None:
    """Write the pictures that are named."""
    for name in names:
        page = open_page(browser, site.link, viewport=PAPER if name == "report" else DESK, color_scheme="dark")
        PICTURES[name](page, site, films)
        page.wait_for_timeout(SETTLED_MS)
        page.screenshot(path=out / f"{name}.png")
        print(out / f"{name}.png", problems_of(page) or "")
        page.context.close()


def look(site: Site, browser: Browser, out: Path) -> None:
    """Write every page in every size, dark and light."""
    paths = {
        name: f"/{name}" for name in ("review", "agreement", "board", "search?q=rabbit", "lists", "models", "people")
    }
    paths |= {"library": "/", "film": f"/movies/{_id_of(site, LONG)}", "list": f"/lists/{_list_of(site)}"}
    out.mkdir(parents=True, exist_ok=True)
    for size, (width, height) in SIZES.items():
        for theme in ("dark", "light"):
            view = {"viewport": {"width": width, "height": height}, "color_scheme": theme, "has_touch": width < 1000}
            page = open_page(browser, site.link, **view)
            for name, path in paths.items():
                page.goto(site.base + path)
                page.wait_for_timeout(SETTLED_MS)
                page.screenshot(path=out / f"{name.partition('?')[0]}-{size}-{theme}.png")
                wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
                if wide > 0 or problems_of(page):
                    print(f"{name} {size} {theme}: {wide} px too wide, {problems_of(page)}")
            page.context.close()


def main(arguments: list[str]) -> None:
    """Parse, start all, make the pictures."""
    data = Path(os.environ.get("SELECTS_TEST_DATA", ROOT.parent / "shared"))
    asked = argparse.ArgumentParser(prog="pictures", description=(__doc__ or "").partition("\n")[0])
    asked.add_argument("names", nargs="*", metavar="NAME", help=", ".join(PICTURES))
    asked.add_argument("--films", type=Path, default=data / "films")
    asked.add_argument("--home", type=Path)
    asked.add_argument("--out", type=Path, default=ROOT / "docs" / "images")
    asked.add_argument("--look", type=Path, metavar="FOLDER")
    options = asked.parse_args(arguments)
    if unknown := set(options.names) - PICTURES.keys():
        asked.error(f"unknown pictures: {', '.join(sorted(unknown))}; known: {', '.join(PICTURES)}")
    with ExitStack() as stack:
        home = options.home or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="selects-pictures-")))
        site = stack.enter_context(running_site(home / "home"))
        furnish(site, options.films)
        browser = stack.enter_context(running_browser())
        if options.look:
            look(site, browser, options.look)
        else:
            wanted = [name for name in PICTURES if name in (options.names or PICTURES)]
            paint(site, browser, wanted, options.films, options.out)


if __name__ == "__main__":
    main(sys.argv[1:])
