"""The Models page in a real browser: what is live and why, whether that beats chance, cards, runs, buttons."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlmodel import col, select

from backend.library.models import Movie
from tests.browser import Site, open_page, problems_of
from tests.curating import Studio
from tests.models_rows import REFUSAL, SUMMARY, answered, duelled, house_of, run, with_versions
from tests.service import Service

FIRST, SECOND, REFUSED = NAMES = ("compelling-first", "compelling-second", "compelling-refused")


@pytest.fixture(scope="module")
def full(rows: Service) -> int:
    """A project with versions, answers and runs."""
    house = house_of(rows, rows.project("Trailers"), films=6, clips=20)
    answered(house, "prior", 0, 60)
    with_versions(house, NAMES)
    answered(house, FIRST, 60, 12)
    with rows.session() as session:
        run(session, house.project, 1, "refused", version=REFUSED, problem=REFUSAL, asked_by="owner")
        run(session, house.project, 2, "failed", trigger="cron", problem="The graphics card ran out of memory.")
    return house.project


def opened(browser: Browser, link: str, base: str, project: int) -> Page:
    page = open_page(browser, link)
    page.context.add_cookies([{"name": "selects_project", "value": str(project), "url": base}])
    page.goto(f"{base}/models")
    expect(page.get_by_role("heading", name="Models", exact=True)).to_be_visible()
    return page


@pytest.fixture
def page(site: Site, browser: Browser, full: int) -> Iterator[Page]:
    page = opened(browser, site.link, site.base, full)
    yield page
    assert problems_of(page) == []
    page.context.close()


def test_before_the_first_model_it_says_what_is_missing(site: Site, browser: Browser) -> None:
    page = opened(browser, site.link, site.base, 1)
    expect(page.get_by_role("heading", name="No model has been trained yet")).to_be_visible()
    expect(page.get_by_text("100 judged clips, 20 approvals, 20 rejections, 3 films")).to_be_visible()
    expect(page.get_by_text("the documented prior").first).to_be_visible()
    page.get_by_role("button", name="Train …").click()
    expect(page.get_by_role("dialog").get_by_text("The gate will refuse it")).to_be_visible()
    page.get_by_role("dialog").get_by_role("button", name="Cancel").click()
    assert page.evaluate("inPage.faults()") == []
    assert problems_of(page) == []
    page.context.close()


def test_it_says_who_is_live_why_and_what_that_is_worth(page: Page) -> None:
    live = page.get_by_label("Live")
    expect(live).to_contain_text(FIRST)
    expect(live).to_contain_text("promoted by owner: better on the random slice")
    proof = page.locator(".models-proof")
    expect(proof.locator("polyline")).to_be_visible()
    expect(proof).to_contain_text(f"12 clips that chance chose were judged under {FIRST}")
    expect(page.get_by_role("row", name=REFUSED).first).to_contain_text(REFUSAL)
    expect(page.get_by_role("row", name=SECOND)).to_contain_text("0.62 (0.54 to 0.69)")
    expect(page.get_by_role("table", name="Runs that have ended")).to_contain_text("ran out of memory")
    assert page.evaluate("inPage.faults()") == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_card_says_everything_and_its_summary_first(page: Page) -> None:
    page.get_by_role("link", name=SECOND).click()
    expect(page.get_by_role("heading", name=SECOND)).to_be_visible()
    expect(page.locator(".page > p").first).to_have_text(SUMMARY)
    expect(page.get_by_role("row", name="gradient boosting")).to_contain_text("0.51 to 0.66")
    expect(page.locator(".plot svg")).to_have_count(3)
    expect(page.get_by_role("row", name="reference")).to_contain_text("20")
    assert page.evaluate("inPage.faults()") == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.go_back()
    expect(page.get_by_role("heading", name="Models", exact=True)).to_be_visible()
    page.goto(f"{page.url}/no-such-model")
    expect(page.get_by_role("heading", name="There is no model no-such-model here.")).to_be_visible()


def test_a_version_is_promoted_and_rolled_back(page: Page) -> None:
    page.get_by_role("button", name=f"Promote {SECOND} …").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text(f"in place of {FIRST}")
    dialog.get_by_label("Why").fill("Ada prefers it <b>")
    dialog.get_by_role("button", name="Promote").click()
    live = page.get_by_label("Live")
    expect(live).to_contain_text("promoted by owner: Ada prefers it <b>")
    expect(page.get_by_text(f"Of {SECOND}, live now, no clip that chance chose was judged yet.")).to_be_visible()
    page.get_by_role("button", name="Roll back Compelling …").click()
    expect(page.get_by_role("dialog")).to_contain_text(f"{FIRST}, which was live before it")
    page.get_by_role("dialog").get_by_role("button", name="Roll back").click()
    expect(live).to_contain_text(f"rolled back by owner: {SECOND} was taken out")
    page.get_by_text("History: 3 changes").click()
    expect(page.get_by_role("table", name="Every change")).to_contain_text("Ada prefers it <b>")
    expect(page.get_by_role("button", name=f"Promote {REFUSED} …")).to_have_count(0)


@pytest.mark.parametrize("width", [1280, 820, 390])
@pytest.mark.parametrize("path", ["/models", f"/models/{SECOND}"])
def test_no_word_of_a_plot_is_cut_off(page: Page, site: Site, path: str, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 844})
    page.goto(site.base + path)
    expect(page.locator(".plot svg").first).to_be_visible()
    assert page.locator(".plot-axis").evaluate_all("all => all.every((each) => each.innerText.length > 4)")
    beyond = """words => words.filter((each) => {
        const own = each.getBoundingClientRect(), plot = each.closest(".plot").getBoundingClientRect();
        return own.left < plot.left - 1 || own.right > plot.right + 1 || own.bottom > plot.bottom + 1;
    }).map((each) => each.textContent)"""
    assert page.locator(".plot text, .plot-axis").evaluate_all(beyond) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_who_curators_prefer_is_shown(page: Page, full: int, rows: Service) -> None:
    expect(page.get_by_role("heading", name="Which of two do curators prefer?")).to_have_count(0)
    with rows.session() as session:
        movies = session.exec(select(Movie.id).where(col(Movie.project_id) == full)).all()
    duelled(Studio(rows, full, tuple(number or 0 for number in movies)), FIRST, SECOND)
    page.reload()
    duel = page.locator(".models-duel")
    expect(duel).to_contain_text(f"Curators prefer {SECOND}.")
    expect(duel.get_by_role("row", name=SECOND)).to_contain_text("20 of 40")
    expect(duel.get_by_role("row", name=FIRST)).to_contain_text("4 of 40")
    page.set_viewport_size({"width": 420, "height": 900})
    heights = page.locator(".bars th").evaluate_all("all => all.map((each) => each.offsetHeight)")
    assert max(heights) < 80, "words, not letters, one below the other"


def test_a_run_is_watched_and_cancelled(page: Page, rows: Service, full: int) -> None:
    said = {"stage": "fit", "fraction": 0.4, "epoch": 8, "epochs": 20, "loss": 0.512, "left_s": 40.0}
    with rows.session() as session:
        run(session, full, 3, "running", trigger="labels", **said)
    page.reload()
    bar = page.get_by_role("progressbar", name="Training Compelling")
    expect(bar).to_have_attribute("aria-valuenow", "40")
    expect(page.get_by_text("40 % · learning from all · epoch 8 of 20 · loss 0.512 · 40 s left")).to_be_visible()
    page.get_by_role("button", name="Cancel the training of Compelling …").click()
    page.get_by_role("dialog").get_by_role("button", name="Cancel the training").click()
    expect(bar).to_have_count(0)
    expect(page.get_by_role("table", name="Runs that have ended")).to_contain_text("cancelled by owner")


def test_a_viewer_sees_all_and_changes_nothing(site: Site, browser: Browser, rows: Service, full: int) -> None:
    token = rows.member(full, "viewer", "Vera")
    page = opened(browser, f"{site.base}/?token={token}", site.base, full)
    expect(page.get_by_role("row", name=f"{SECOND} Compelling")).to_be_visible()
    buttons = page.get_by_role("main").get_by_role("button").all_inner_texts()
    assert [words for words in buttons if words.endswith("…")] == []
    assert problems_of(page) == []
    page.context.close()
