"""Put right what the doctor found, from the feature files, while searches go on."""

from collections.abc import Callable, Sequence

from backend.clusters.models import KINDS
from backend.clusters.placing import refresh
from backend.resources import Resources
from backend.search.collections import rebuild
from backend.search.doctor import Examiner, Problem, Report, examine
from backend.search.index import index_movie
from backend.search.removal import remove_vectors
from backend.search.rows import rows_for_search
from backend.search.spaces import SPACES
from backend.search.store_check import mend

MENDED = ("store", "index", "remove", "rebuild", "drop", "group")
Progress = Callable[[str, float, float], None]


def repair(
    resources: Resources,
    report: Report,
    progress: Progress = lambda stage, done, total: None,
    besides: Sequence[Examiner] = (),
) -> tuple[list[Problem], Report]:
    """What was seen to, and the report of another look. Problems that need a person stay in it."""
    by_way = {way: [each for each in report.problems if each.way == way] for way in MENDED}
    for each in by_way["store"]:
        mend(resources, each.movie_id, each.target)
    for movie_id in sorted({each.movie_id for each in by_way["index"] if each.movie_id}):
        index_movie(resources, movie_id, progress)
    for sha256 in sorted({each.target for each in by_way["remove"]}):
        remove_vectors(resources, sha256)
    for name in sorted({each.space for each in by_way["rebuild"]}):
        _rebuild(resources, name, progress)
    for each in by_way["drop"]:
        resources.chroma.drop(each.target)
    for project_id in sorted({int(each.target) for each in by_way["group"]}):
        for kind in KINDS:
            refresh(resources, project_id, kind)
    return [each for found in by_way.values() for each in found], examine(resources, progress, besides)


def _rebuild(resources: Resources, name: str, progress: Progress) -> None:
    rebuild(
        resources.engine,
        resources.chroma,
        SPACES[name],
        lambda key, rows: rows_for_search(resources, key, rows),
        lambda done, of: progress(name, done, of),
    )
