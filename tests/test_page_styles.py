"""One look: colours and sizes have their names in tokens.css, and nothing else says any."""

import re
from pathlib import Path

import pytest

from labeling.web.served import FOLDER, version

TOKENS = (FOLDER / "tokens.css").read_text()
FILES = sorted(path for path in FOLDER.iterdir() if path.suffix in (".css", ".js") and path.name != "tokens.css")
COLOUR = re.compile(r"#[0-9a-fA-F]{3,8}\b|\b(?:rgb|hsl|oklch|lab)a?\(")
SIZE = re.compile(r"(?<![\w.-])\d+(?:\.\d+)?(?:px|rem|em|pt)\b")
LEAST_CONTRAST = 4.5
DARK, _, LIGHT = TOKENS.partition("prefers-color-scheme: light")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_no_file_names_a_colour_or_a_size_of_its_own(path: Path) -> None:
    text = re.sub(r"@media[^{]*", "", path.read_text()) if path.suffix == ".css" else _strings(path.read_text())
    assert COLOUR.findall(text) == []
    assert SIZE.findall(text) == []


def _strings(script: str) -> str:
    # Private members of classes begin like colours; what is said to the page stands in quotes.
    return "\n".join(re.findall(r'"[^"\n]*"|`[^`]*`', re.sub(r"\$\{[^}]*\}", "", script)))


def test_players_have_sound_and_full_screen_from_one_module() -> None:
    of_its_own = {path.name for path in FILES if re.search(r"requestFullscreen|NotAllowedError", path.read_text())}
    assert of_its_own == {"playing.js", "deck.js"}  # the deck plays before the first key: it asks for one
    assert not any(".muted = " in (FOLDER / name).read_text() for name in ("player.js", "list_player.js"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_token_that_is_used_is_there(path: Path) -> None:
    used = set(re.findall(r"var\((--[\w-]+)", path.read_text()))
    used |= {f"--{name}" for name in re.findall(r'token\("--([\w-]+)"', path.read_text())}
    assert used <= set(re.findall(r"(--[\w-]+):", TOKENS))


@pytest.mark.parametrize("theme", [DARK, LIGHT], ids=["dark", "light"])
@pytest.mark.parametrize("ground", ["background", "surface", "raised"])
@pytest.mark.parametrize("name", ["text", "muted", "viral", "compelling", "good", "bad"])
def test_words_are_read_on_every_ground(theme: str, ground: str, name: str) -> None:
    assert _contrast(_colour(theme, name), _colour(theme, ground)) >= LEAST_CONTRAST


@pytest.mark.parametrize("theme", [DARK, LIGHT], ids=["dark", "light"])
@pytest.mark.parametrize("ground", ["compelling", "good"])
def test_words_are_read_on_buttons_and_bars(theme: str, ground: str) -> None:
    assert _contrast(_colour(theme, "on-accent"), _colour(theme, ground)) >= LEAST_CONTRAST


def _colour(theme: str, name: str) -> tuple[float, ...]:
    found = re.search(rf"--{name}: #(\w{{6}});", theme)
    assert found, name
    return tuple(int(found[1][at : at + 2], 16) / 255 for at in (0, 2, 4))


def _contrast(one: tuple[float, ...], other: tuple[float, ...]) -> float:
    """As WCAG 2 defines it, 1 to 21."""
    bright, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


def _luminance(colour: tuple[float, ...]) -> float:
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in colour]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_the_address_of_static_files_changes_with_them(tmp_path: Path) -> None:
    (tmp_path / "a.js").write_text("1")
    before = version(tmp_path)
    assert version(tmp_path) == before
    (tmp_path / "a.js").write_text("2")
    assert version(tmp_path) != before
