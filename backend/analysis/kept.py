"""Is all there that the last analysis left of a film, and do its rows say the same?"""

from pathlib import Path

import numpy as np
from sqlmodel import Session

from backend.analysis import rows
from backend.analysis.cache import FilmCache
from backend.analysis.pictures import lost_pictures
from backend.analysis.stored import stored_film
from backend.analysis.view import scenes
from backend.errors import Conflict
from backend.library.models import Movie, Scene, Shot
from backend.store.media import there

AGAIN = "analyse it again."


def what_is_off(session: Session, home: Path, movie: Movie) -> str:
    """What of a ready film is not as its analysis left it, "" if all is; another analysis puts it right.

    Stored parts are read, not only looked for. What is said in a shot is not compared: its lines are, with the index.
    """
    cache = FilmCache(home / "films" / (movie.sha256 or ""))
    try:
        known = stored_film(home, cache.sha256, movie.scan_key, movie.profile, movie.vectors, movie.audio_track)
    except Conflict as lost:
        return lost.detail
    if movie.has_audio and cache.load_sound(movie.audio_track) is None:
        return f"what is known of its sound is gone; {AGAIN}"
    if gone := lost_pictures(cache.scan_folder(movie.scan_key), known.scan.keyframes):
        return f"{len(gone)} of its pictures are gone; {AGAIN}"
    if movie.proxy and not there(cache.folder / movie.proxy):
        return f"its copy for browsers is gone; {AGAIN}"
    starts: np.typing.NDArray[np.int64] = scenes(known)
    movie_id = movie.id or 0
    if not rows.are_stored(session, Shot, movie_id, rows.shots_of(movie_id, known, starts), besides=("dialogue",)):
        return f"its rows of shots are not what was found in it; {AGAIN}"
    if not rows.are_stored(session, Scene, movie_id, rows.scenes_of(movie_id, known, starts)):
        return f"its rows of scenes are not what was found in it; {AGAIN}"
    return ""
