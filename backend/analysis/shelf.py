"""Films as scoring sees them, from what is stored, with the last ones kept in memory."""

import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from pathlib import Path

from sqlmodel import Session

from backend.analysis.film import Known
from backend.analysis.kept import what_is_off
from backend.analysis.stored import stored_film
from backend.analysis.view import scoring_film
from backend.errors import Conflict
from backend.library.models import Movie
from backend.scoring.film import ScoringFilm
from backend.scoring.rank import Measured, RankRequest, measured_windows

KEPT = 8


@dataclass
class ShelvedFilm:
    """What is known of a film, and the same as scoring sees it."""

    known: Known
    film: ScoringFilm
    _measured: tuple[tuple[float, float, float], Measured] | None = field(default=None, init=False)

    def measured(self, request: RankRequest) -> Measured:
        """All windows within the lengths asked for, those of the last request kept: who moves weights asks again."""
        lengths = (request.min_s, request.max_s, request.skip_last_percent)
        kept = self._measured
        if kept is None or kept[0] != lengths:
            kept = self._measured = (lengths, measured_windows(self.film, request))
        return kept[1]


class Shelf:
    """Gives stored films; safe for threads. A film that was analysed anew is another one."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._kept: OrderedDict[tuple[str, ...], ShelvedFilm] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, movie: Movie) -> ShelvedFilm:
        """The film of a row; raises Conflict where it has not been analysed or stored parts are missing."""
        if movie.sha256 is None or not movie.scan_key or not movie.vectors:
            raise Conflict(f"{movie.title!r} is {movie.state}; it has not been analysed yet.")
        key = (movie.sha256, movie.scan_key, movie.profile, str(movie.audio_track), *sorted(movie.vectors.values()))
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        known = stored_film(self._home, movie.sha256, movie.scan_key, movie.profile, movie.vectors, movie.audio_track)
        made = ShelvedFilm(known, scoring_film(known))
        with self._lock:
            self._kept[key] = made
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return made

    def what_is_off(self, session: Session, movie: Movie) -> str:
        """What of a film is not as its last analysis left it, "" if all is."""
        return what_is_off(session, self._home, movie)
