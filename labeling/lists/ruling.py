"""A list's rule with rows: what it would make of the list, and making it so."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlmodel import Session, col, select

from backend.errors import InputError
from backend.library.models import Candidate, Movie
from labeling.lists.entries import entry_of, put, rows_of, take_out
from labeling.lists.models import ListEntry, StoredList
from labeling.lists.rows import standing_of
from labeling.lists.rule_shapes import LeftOut, Picked, RulePreview
from labeling.lists.rules import Clip, Pick, Wish, in_order, pick
from labeling.lists.service import changed, locked, today
from labeling.lists.shapes import Rule
from labeling.lists.showing import public
from labeling.lists.standing import Standing, blocked

NO_RULE = "This list has no rule; give one."
MAY_NOT = "its film may not be used, or not yet"


@dataclass(frozen=True)
class Plan:
    """What a rule would make of a list: candidates that come in, entries that go and stay."""

    pick: Pick
    add: list[tuple[Candidate, Movie]]
    remove: list[Standing]
    stay: list[Standing]

    @property
    def total_s(self) -> float:
        """How long the list would be."""
        return sum(one.duration_s for one in self.stay) + sum(c.end_s - c.start_s for c, _ in self.add)


def plan(session: Session, project_id: int, clip_list: StoredList | None, rule: Rule) -> Plan:
    """What a rule would make of a list, or of a new one. Raises InputError for films of another project."""
    found = standing_of(session, clip_list) if clip_list else []
    hand = [one for one in found if not one.entry.by_rule]
    ruled = {one.entry.candidate_id: one for one in found if one.entry.by_rule}
    approved = _approved(session, project_id, rule)
    free = [(c, m) for c, m in approved if not _held_back(c, m)]
    known_by_hand = {one.entry.candidate_id for one in hand}
    picked = pick(
        _wish(rule),
        [_of_entry(ruled[c.id]) if c.id in ruled else _clip(c, m) for c, m in free],
        [_of_entry(one) for one in hand],
    )
    held = sum(c.id not in known_by_hand for c, _ in approved) - sum(c.id not in known_by_hand for c, _ in free)
    if held:
        picked = Pick(picked.clips, {MAY_NOT: held, **picked.left_out})
    wanted = {clip.id for clip in picked.clips}
    stays = ruled.keys() & wanted
    rows = {c.id: (c, m) for c, m in free}
    return Plan(
        picked,
        [rows[clip.id] for clip in picked.clips if clip.id not in stays],
        [one for one in ruled.values() if one.entry.candidate_id not in wanted],
        [one for one in found if not one.entry.by_rule or one.entry.candidate_id in wanted],
    )


def preview(session: Session, project_id: int, clip_list: StoredList | None, rule: Rule) -> RulePreview:
    """The same for people; nothing is changed."""
    made = plan(session, project_id, clip_list, rule)
    return RulePreview(
        add=[_picked(candidate, movie) for candidate, movie in made.add],
        remove=public(session, made.remove),
        keep=len(made.stay),
        clips=len(made.stay) + len(made.add),
        total_s=made.total_s,
        left_out=[LeftOut(why=why, clips=clips) for why, clips in made.pick.left_out.items()],
        version=clip_list.version if clip_list else None,
    )


def run(
    session: Session, clip_list: StoredList, rule: Rule | None, by: str, *, reorder: bool, version: int | None = None
) -> list[int]:
    """Make the list what its rule says, or another rule that takes its place; ids of entries that came in. Commits.

    Entries that people put there stay, and so do the trims and notes of those that the rule picks again. What comes in
    goes to the end; with `reorder` the whole list is put into the rule's order. Raises InputError without a rule.
    """
    now = locked(session, clip_list, version)
    rule = rule or rule_of(now)
    made = plan(session, now.project_id, now, rule)
    rows = rows_of(session, now)
    gone = {one.entry.id for one in made.remove}
    fresh = [entry_of(now, candidate, by) for candidate, _ in made.add]
    for row in fresh:
        row.by_rule = True
    ordered = [*(row for row in rows if row.id not in gone), *fresh]
    if reorder:
        ordered = _reordered(session, now, rule, ordered)
    same = [row.id for row in rows] == [row.id for row in ordered]
    take_out(session, rows, [row for row in rows if row.id in gone])
    put(session, ordered)
    kept = rule.model_dump(mode="json")
    if not same or now.rule != kept:
        now.rule = kept
        changed(session, now)
    ids = [row.id or 0 for row in fresh]
    session.commit()
    return ids


def rule_of(clip_list: StoredList) -> Rule:
    """The rule that is kept with a list; raises InputError where there is none."""
    if clip_list.rule is None:
        raise InputError(NO_RULE)
    return Rule.model_validate(clip_list.rule)


def _approved(session: Session, project_id: int, rule: Rule) -> Sequence[tuple[Candidate, Movie]]:
    """What is approved of the rule's films."""
    films = select(Movie).where(col(Movie.project_id) == project_id).order_by(col(Movie.id))
    movies = {movie.id: movie for movie in session.exec(films).all()}
    if unknown := [each for each in rule.movies if each not in movies]:
        raise InputError(f"There is no film {unknown[0]} in this project; the rule names it.")
    genres = {genre.lower() for genre in rule.genres}
    fits = {
        number
        for number, movie in movies.items()
        if (not rule.movies or number in rule.movies)
        and (not genres or genres & {genre.lower() for genre in movie.genres})
    }
    of_project = (col(Candidate.project_id) == project_id, col(Candidate.verdict) == "approve")
    rows = session.exec(select(Candidate).where(*of_project, col(Candidate.movie_id).is_not(None))).all()
    return [(row, movies[row.movie_id]) for row in rows if row.movie_id in fits]


def _held_back(candidate: Candidate, movie: Movie) -> bool:
    """Whether it could not go out if it were in a list."""
    entry = ListEntry(
        list_id=0,
        position=0,
        movie_sha256=candidate.movie_sha256,
        movie_title=candidate.movie_title,
        start_frame=candidate.start_frame,
        end_frame=candidate.end_frame,
        start_s=candidate.start_s,
        end_s=candidate.end_s,
    )
    return bool(blocked(Standing(entry, candidate, movie), today()))


def _reordered(session: Session, clip_list: StoredList, rule: Rule, rows: Collection[ListEntry]) -> list[ListEntry]:
    """Entries as the rule orders them; what is in the list by hand too."""
    session.add_all(row for row in rows if row.id is None)
    session.flush()
    by_id = {one.entry.id: one for one in standing_of(session, clip_list)}
    clips = {_of_entry(by_id[row.id]): row for row in rows}
    return [clips[clip] for clip in in_order(_wish(rule), list(clips))]


def _wish(rule: Rule) -> Wish:
    return Wish(**rule.model_dump(exclude={"movies", "genres"}))


def _clip(candidate: Candidate, movie: Movie) -> Clip:
    span = (candidate.start_s, candidate.end_s)
    return Clip(candidate.id or 0, movie.id or 0, candidate.scene, *span, score=candidate.score)


def _of_entry(one: Standing) -> Clip:
    """By its own frames, which may be others than its candidate's."""
    scene, score = (one.candidate.scene, one.candidate.score) if one.candidate else (-1, None)
    film = one.movie.id if one.movie and one.movie.id else 0
    key = one.entry.candidate_id or -(one.entry.id or 0)
    return Clip(key, film, scene, one.entry.start_s, one.entry.end_s, score)


def _picked(candidate: Candidate, movie: Movie) -> Picked:
    window = ("start_frame", "end_frame", "start_s", "end_s", "scene", "score")
    return Picked(
        candidate_id=candidate.id or 0,
        movie_id=movie.id or 0,
        movie_title=movie.title,
        **{name: getattr(candidate, name) for name in window},
    )
