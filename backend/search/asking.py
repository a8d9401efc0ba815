"""A question from the terminal: whoever can open the database may search all of it."""

import re
from dataclasses import dataclass
from pathlib import Path

from sqlmodel import Session

from backend.errors import InputError
from backend.members.service import OWNER, Principal
from backend.resources import Resources
from backend.search.images import read_picture
from backend.search.service import Example, Scope, similar, similar_to_picture
from backend.search.shapes import Similar, Words
from backend.search.words import search_words

ADDRESS = re.compile(r"(\d{1,9}):(\d{1,9})")


@dataclass(frozen=True)
class Question:
    """One of three: words, a picture's file, or a shot of a film."""

    words: str = ""
    picture: Path | None = None
    example: Example | None = None


def parse(words: str | None, picture: Path | None, like: str | None) -> Question:
    """The question that is asked; raises InputError where it is none or more than one."""
    if sum(each is not None for each in (words, picture, like)) != 1:
        raise InputError("Ask in one way: words, or --image FILE, or --like MOVIE:SHOT.")
    if like is not None:
        address = ADDRESS.fullmatch(like.strip())
        if address is None:
            raise InputError(f"{like!r} is no shot; give the film's number and the shot's, as in 3:41.")
        return Question(example=Example(int(address[1]), shot=int(address[2])))
    if words is not None and not words.strip():
        raise InputError("The question is empty.")
    return Question(words=(words or "").strip(), picture=picture)


def ask(resources: Resources, question: Question, limit: int) -> Similar | Words:
    """The answer, the best shots first; raises InputError for a picture that cannot be read, NotFound for a shot."""
    who, scope = Principal(0, OWNER, superuser=True), Scope(limit=limit)
    with Session(resources.reading) as session:
        if question.example:
            return similar(session, resources, who, question.example, scope)
        if question.picture:
            return similar_to_picture(session, resources, who, read_picture(_read(question.picture)), scope)
        return search_words(session, resources, who, question.words, scope)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as problem:
        raise InputError(f"Cannot read {str(path)!r}: {(problem.strerror or str(problem)).lower()}.") from None
