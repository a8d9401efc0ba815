"""The page of people and tokens in a real browser: somebody is invited, comes, is given another role, and goes."""

from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser import Site, open_page, problems_of


@pytest.fixture
def page(site: Site, browser: Browser) -> Iterator[Page]:
    page = open_page(browser, site.link)
    page.get_by_role("button", name="owner").click()
    page.get_by_text("People and tokens").click()
    expect(page.get_by_role("heading", name="People of Library")).to_be_visible()
    yield page
    assert problems_of(page) == []
    page.context.close()


def told_once(page: Page, title: str) -> str:
    dialog = page.get_by_role("dialog", name=title)
    secret = dialog.get_by_role("textbox", name=title).input_value()
    dialog.get_by_role("button", name="Done").click()
    expect(dialog).to_be_hidden()
    return secret


def test_somebody_comes_by_a_link_gets_another_role_and_goes(page: Page, browser: Browser) -> None:
    page.get_by_role("button", name="Invite somebody …").click()
    dialog = page.get_by_role("dialog", name="Invite somebody")
    dialog.get_by_label("Name").fill("Vera <b>")
    dialog.get_by_label("Role").select_option("viewer")
    dialog.get_by_role("button", name="Make the link").click()
    link = told_once(page, "A link for Vera <b>")
    expect(page.get_by_role("button", name="Withdraw the invitation of Vera <b>")).to_be_visible()
    hers = open_page(browser, link)
    hers.get_by_role("button", name="Join as Vera <b>").click()
    hers.get_by_role("button", name="Vera <b>").click()
    hers.get_by_text("People and tokens").click()
    expect(hers.get_by_role("row", name="Vera <b>")).to_contain_text("viewer")
    expect(hers.get_by_role("button", name="Invite somebody …")).to_have_count(0)
    page.reload()
    expect(page.get_by_role("table", name="Invitations")).to_have_count(0)
    page.get_by_label("Role of Vera <b>").select_option("curator")
    expect(page.get_by_text("Vera <b> is curator now.")).to_be_visible()
    hers.reload()
    expect(hers.get_by_role("row", name="Vera <b>")).to_contain_text("curator")
    page.get_by_role("button", name="Remove Vera <b>").click()
    page.get_by_role("dialog").get_by_role("button", name="Remove", exact=True).click()
    expect(page.get_by_role("row", name="Vera <b>")).to_have_count(0)
    hers.reload()
    expect(hers.get_by_text("You are a member of no project yet")).to_be_visible()
    hers.context.close()


def test_a_link_that_was_withdrawn_leads_nowhere(page: Page, browser: Browser) -> None:
    page.get_by_role("button", name="Invite somebody …").click()
    dialog = page.get_by_role("dialog", name="Invite somebody")
    dialog.get_by_label("Name").fill("Otto")
    dialog.get_by_role("button", name="Make the link").click()
    link = told_once(page, "A link for Otto")
    page.get_by_role("button", name="Withdraw the invitation of Otto").click()
    expect(page.get_by_role("row", name="Otto")).to_have_count(0)
    his = open_page(browser, link)
    expect(his.get_by_role("button", name="Join as Otto")).to_have_count(0)
    his.context.close()


def test_a_token_is_shown_once_works_and_is_revoked(page: Page, site: Site) -> None:
    page.get_by_role("button", name="New token …").click()
    dialog = page.get_by_role("dialog", name="New token")
    dialog.get_by_label("What it is for").fill("nightly export")
    dialog.get_by_label("Days that it works").fill("90")
    dialog.get_by_role("button", name="Make it").click()
    headers = {"Authorization": f"Bearer {told_once(page, 'The token nightly export')}"}
    assert httpx.get(f"{site.base}/api/session", headers=headers).json()["person"]["name"] == "owner"
    page.get_by_role("button", name="Revoke nightly export").click()
    expect(page.get_by_role("row", name="nightly export")).to_have_count(0)
    assert httpx.get(f"{site.base}/api/session", headers=headers).status_code == 401


def test_everything_has_a_name_is_reached_by_keys_and_large_enough(page: Page) -> None:
    assert page.evaluate("inPage.faults()") == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
