"""What the names of `--for` and `--genre` mean: weights, and for content types also length and format."""

from dataclasses import dataclass

from backend.errors import UnknownName

MIN_S, MAX_S = 60.0, 120.0


@dataclass(frozen=True)
class Preset:
    """Weights of a content type or a genre; limits in seconds and the picture format where the type has its own."""

    viral: float
    compelling: float
    min_s: float = MIN_S
    max_s: float = MAX_S
    format: str = "original"


CONTENT = {
    "reels": Preset(0.75, 0.25, 30, 60, "reels"),
    "shorts": Preset(0.7, 0.3, 30, 60, "reels"),
    "tiktok": Preset(0.8, 0.2, 30, 60, "reels"),
    "trailer": Preset(0.5, 0.5, 90, 150),
    "tv-spot": Preset(0.5, 0.5),
    "festival": Preset(0.25, 0.75, 60, 150),
    "educational": Preset(0.3, 0.7),
}

GENRES = {
    "action": Preset(0.6, 0.4),
    "drama": Preset(0.3, 0.7),
    "comedy": Preset(0.7, 0.3),
    "horror": Preset(0.5, 0.5),
    "romance": Preset(0.4, 0.6),
    "thriller": Preset(0.5, 0.5),
    "sci-fi": Preset(0.6, 0.4),
}

ALIASES = {
    "science-fiction": "sci-fi",
    "sf": "sci-fi",
    "scifi": "sci-fi",
    "romantic": "romance",
    "tvspot": "tv-spot",
    "reel": "reels",
    "short": "shorts",
    "youtube-shorts": "shorts",
}


def content(name: str) -> Preset:
    """The preset of a content type, whatever its case; raises UnknownName."""
    return _find("content type", name, CONTENT)


def genre(name: str) -> Preset:
    """The preset of a genre, whatever its case ("Science Fiction" is sci-fi); raises UnknownName."""
    return _find("genre", name, GENRES)


def plain(name: str) -> str:
    """The name by which a content type or a genre is known, however it is written: "Science Fiction" is sci-fi."""
    key = "-".join(name.lower().replace("_", " ").replace("-", " ").split())
    return ALIASES.get(key, key)


def _find(kind: str, name: str, known: dict[str, Preset]) -> Preset:
    key = plain(name)
    if key not in known:
        raise UnknownName(kind, name, known)
    return known[key]
