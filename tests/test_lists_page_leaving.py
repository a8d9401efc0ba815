"""A list leaves by a real browser: rights, approval, downloads, renderings, edits that come back, and who is told."""

from pathlib import Path
from typing import Any

from playwright.sync_api import Locator, Page, expect

from tests.listing import at_server, rows
from tests.reviewing import Room


def test_rights_keep_it_here_and_every_format_says_so(list_page: Page, cutting: Room, teaser: dict[str, Any]) -> None:
    second = rows(list_page).nth(1)
    second.get_by_role("button", name="More about this clip").click()
    list_page.get_by_role("menuitem", name="Rights and embargo").click()
    list_page.get_by_label("Blocked: it may not go out").check()
    list_page.get_by_label("Why, or by whom").fill("the music is not cleared")
    list_page.get_by_role("button", name="Save").click()
    expect(second).to_contain_text("may not be used: the music is not cleared")
    expect(list_page.locator(".list-all")).to_contain_text("the music is not cleared")
    expect(list_page.get_by_role("link", name="Download")).to_have_count(0)
    expect(list_page.get_by_role("button", name="Approve")).to_be_disabled()
    list_page.get_by_role("button", name="Show clip 2").first.click()
    expect(second).to_be_focused()


def test_it_is_approved_downloaded_and_had_again(
    list_page: Page, cutting: Room, teaser: dict[str, Any], tmp_path: Path
) -> None:
    list_page.get_by_role("button", name="Approve").click()
    expect(list_page.locator(".list-state")).to_contain_text("approved by")
    with list_page.expect_download() as saved:
        list_page.locator('.list-format[data-format="edl"]').get_by_role("link", name="Download").click()
    saved.value.save_as(tmp_path / "list.edl")
    assert saved.value.suggested_filename == "Teaser.edl"
    assert (tmp_path / "list.edl").read_text().startswith("TITLE: Teaser")
    list_page.get_by_text("Exported before").click()
    again = list_page.locator(".list-before").get_by_role("link").first
    expect(again).to_contain_text("edl, 5 clips")
    with list_page.expect_download() as saved:
        again.click()
    assert Path(saved.value.path()).read_bytes() == (tmp_path / "list.edl").read_bytes()
    rows(list_page).first.focus()
    list_page.keyboard.press("Alt+ArrowDown")
    expect(list_page.locator(".list-state")).to_contain_text("draft")


def test_an_edit_made_elsewhere_becomes_a_list(
    list_page: Page, cutting: Room, teaser: dict[str, Any], tmp_path: Path
) -> None:
    with list_page.expect_download() as saved:
        list_page.locator('.list-format[data-format="fcpxml"]').get_by_role("link", name="Download").click()
    saved.value.save_as(tmp_path / "edit.fcpxml")
    list_page.get_by_role("link", name="Lists", exact=True).first.click()
    list_page.get_by_role("button", name="Import an edit …").click()
    list_page.get_by_role("dialog").locator("input[type=file]").set_input_files(tmp_path / "edit.fcpxml")
    list_page.get_by_label("Name, if not the edit's own").fill("Back again")
    list_page.get_by_role("button", name="Read it").click()
    expect(list_page.get_by_role("heading", name="Back again")).to_be_visible()
    windows = [(each["start_frame"], each["end_frame"]) for each in at_server(cutting, teaser)]
    [made] = cutting.api("GET", "/api/lists", params={"q": "Back again"})["items"]
    assert [(each["start_frame"], each["end_frame"]) for each in at_server(cutting, made)] == windows


def test_clips_are_rendered_while_one_looks(list_page: Page, cutting: Room, teaser: dict[str, Any]) -> None:
    rendered = list_page.locator('.list-format[data-format="clips"]')
    rendered.get_by_role("button", name="Render …").click()
    list_page.get_by_role("dialog").get_by_role("button", name="Render", exact=True).click()
    download = rendered.get_by_role("link", name="Download")
    expect(download).to_be_visible(timeout=90_000)
    with list_page.expect_download() as saved:
        download.click()
    assert saved.value.suggested_filename == "Teaser.zip"
    assert Path(saved.value.path()).read_bytes()[:2] == b"PK"


def test_where_the_editor_has_the_films_is_set(list_page: Page, cutting: Room, teaser: dict[str, Any]) -> None:
    path = cutting.site.api("GET", f"/api/lists/{teaser['id']}/export?format=json")["films"][0]["path"]
    folder, name = str(Path(path).parent), Path(path).name

    def settings() -> Locator:
        list_page.get_by_role("button", name="More about this list").click()
        list_page.get_by_role("menuitem", name="Where the editor has the films …").click()
        return list_page.get_by_role("dialog")

    dialog = settings()
    dialog.get_by_label("Folder of the server").fill("films")
    dialog.get_by_label("The same folder for the editor").fill("Z:\\Films")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog.get_by_role("alert")).to_contain_text("mappings")  # it is no folder of a server; nothing is lost
    expect(dialog.get_by_label("The same folder for the editor")).to_have_value("Z:\\Films")
    dialog.get_by_label("Folder of the server").fill(folder)
    dialog.get_by_role("button", name="Another folder").click()
    dialog.get_by_label("Folder of the server").nth(1).fill("/elsewhere")
    dialog.get_by_label("The same folder for the editor").nth(1).fill("/Volumes/Elsewhere")
    dialog.get_by_label("Handles at both ends of each clip, frames").fill("12")
    dialog.get_by_label("Rate of the edit").select_option("29.97df")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog).to_have_count(0)
    expect(list_page.locator('.list-format[data-format="edl"]')).to_contain_text("An EDL has one rate")
    exported = cutting.site.api("GET", f"/api/lists/{teaser['id']}/export?format=json")
    assert exported["films"][0]["path"] == f"Z:\\Films\\{name}"
    assert (exported["handles"], exported["rate"], exported["drop"]) == (12, "30000/1001", True)
    dialog = settings()
    expect(dialog.get_by_label("Folder of the server")).to_have_count(2)
    dialog.get_by_role("button", name="Take this folder away").first.click()
    dialog.get_by_role("button", name="Save").click()
    expect(dialog).to_have_count(0)
    [left] = cutting.api("GET", f"/api/projects/{cutting.project}/exports")["mappings"]
    assert left == {"server": "/elsewhere", "editor": "/Volumes/Elsewhere"}


def test_who_is_told_of_approvals_is_set(list_page: Page, cutting: Room, teaser: dict[str, Any]) -> None:
    def hooks() -> Locator:
        list_page.get_by_role("button", name="More about this list").click()
        list_page.get_by_role("menuitem", name="Who is told of approvals …").click()
        return list_page.get_by_role("dialog", name="Who is told when a list is approved")

    dialog = hooks()
    expect(dialog).to_contain_text("Nobody is told yet.")
    dialog.get_by_label("Another address").fill("http://127.0.0.1:9/hook")
    dialog.get_by_role("button", name="Add").click()
    expect(dialog.get_by_role("alert")).to_contain_text("SELECTS_SECURITY__WEBHOOK_HOSTS")
    dialog.get_by_label("Another address").fill("https://203.0.114.7/hook")
    dialog.get_by_role("button", name="Add").click()
    secret = list_page.get_by_role("dialog", name="Its secret")
    assert len(secret.get_by_label("Secret").input_value()) >= 16
    secret.get_by_role("button", name="Done").click()
    dialog = hooks()
    row = dialog.get_by_role("listitem")
    expect(row).to_contain_text("https://203.0.114.7/hook")
    row.get_by_role("button", name="Turn off").click()
    expect(row).to_contain_text("off")
    [hook] = cutting.api("GET", "/api/webhooks")["items"]
    assert hook["active"] is False
    row.get_by_role("button", name="Try it").click()
    expect(list_page.locator(".toast").last).to_contain_text("A test is on its way")
    row.get_by_role("button", name="Turn on").click()
    row.get_by_role("button", name="Tell https://203.0.114.7/hook no more").click()
    expect(dialog).to_contain_text("Nobody is told yet.")
    assert cutting.api("GET", "/api/webhooks")["items"] == []
