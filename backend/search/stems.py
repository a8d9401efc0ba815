"""Words, and where they stand: which words of a question are in a line, whatever their endings."""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from functools import lru_cache

WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
ENDINGS = ("ings", "ing", "ies", "ied", "es", "ed", "s", "y", "e")
SHORTEST_STEM = 3
EMPTY_WORDS = frozenset(
    WORD.findall(
        "a an and are as at be but by do for from had has have he her his i if in is it me my no not of on or our she "
        "so that the their them then they this to us was we were what who will with you your"
    )
)


@lru_cache(50_000)
def stem(word: str) -> str:
    """A word without case, accents and ending: "Dragons'" and "dragon" are the same, "riding" and "rides" too."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", word.casefold()) if not unicodedata.combining(c))
    plain = re.split(r"['’]", plain)[0]
    for ending in ENDINGS:
        if plain.endswith(ending) and len(plain) - len(ending) >= SHORTEST_STEM:
            plain = plain.removesuffix(ending)
            break
    return plain[:-1] if len(plain) > SHORTEST_STEM and plain[-1] == plain[-2] else plain


def stems(text: str) -> frozenset[str]:
    """The words of a text, as they are compared."""
    return frozenset(stem(word) for word in WORD.findall(text))


def asked_stems(question: str) -> frozenset[str]:
    """The words of a question that say something; all of them where none does."""
    words = WORD.findall(question)
    telling = [word for word in words if word.casefold() not in EMPTY_WORDS]
    return frozenset(stem(word) for word in (telling or words))


def marks(text: str, asked: Iterable[str]) -> list[tuple[int, int]]:
    """Start and end, in characters, of the words of a text that were asked for."""
    wanted = frozenset(asked)
    return [found.span() for found in WORD.finditer(text) if stem(found[0]) in wanted]


def postings(texts: Sequence[str]) -> dict[str, list[int]]:
    """In which texts each word is."""
    found: dict[str, list[int]] = {}
    for number, text in enumerate(texts):
        for word in stems(text):
            found.setdefault(word, []).append(number)
    return found
