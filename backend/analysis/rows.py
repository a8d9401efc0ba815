"""What an analysis becomes in the database. Nothing here commits: the stage does, after it has made sure of its job."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import delete, update
from sqlmodel import Session, col, select

from backend.analysis.film import Analysis, Known
from backend.analysis.poster import stand_in
from backend.analysis.request import AnalysisRequest
from backend.analysis.shot_grammar import film_dialogue_scenes
from backend.analysis.view import scenes, share_of_shots
from backend.clusters.removal import remove_items
from backend.database import utc_now
from backend.errors import NotFound
from backend.features.framing.scenes import scene_of_shots
from backend.features.labels import top_labels
from backend.jobs.models import Job
from backend.library.kept import leave_out, let_go
from backend.library.models import Candidate, DialogueLine, Movie, Scene, Shot
from backend.media.probe import AudioTrack, Probe
from backend.media.subtitles import sidecars
from backend.resources import Resources
from backend.scoring.rank import Ranking, ScoredClip
from backend.search.models import IndexedFilm
from backend.store.media import there

Part = Shot | Scene | DialogueLine


def movie_of(session: Session, movie_id: int) -> Movie:
    """The film's row, locked; raises NotFound where it was deleted meanwhile."""
    movie = session.get(Movie, movie_id, with_for_update=True)
    if movie is None:
        raise NotFound("The film was deleted while it was being analysed.")
    return movie


def save_probe(session: Session, resources: Resources, movie_id: int, probe: Probe, sha256: str) -> str:
    """Facts of the header. Where the project has this file already, the job goes on with that film."""
    movie = movie_of(session, movie_id)
    same = select(Movie).where(
        col(Movie.project_id) == movie.project_id, col(Movie.sha256) == sha256, col(Movie.id) != movie.id
    )
    note = ""
    replaced = movie.sha256 if movie.sha256 not in (None, sha256) else None
    if replaced:  # another film lies at the same path now
        forget(session, resources, movie)
    if (known := session.exec(same.with_for_update()).first()) is not None:
        session.execute(update(Job).where(col(Job.movie_id) == movie.id).values(movie_id=known.id))
        session.flush()
        session.delete(movie)
        if not there(Path(known.path)):  # it was moved
            known.path, known.source = movie.path, movie.source
        note = f"{Path(movie.path).name!r} is the same file as {known.title!r}, which is in the library already"
        movie = known
    movie.sha256, movie.size_bytes = sha256, probe.path.stat().st_size
    movie.rate = f"{probe.rate.numerator}/{probe.rate.denominator}"
    movie.width, movie.height, movie.has_audio = probe.width, probe.height, bool(probe.audio)
    movie.start_timecode = probe.start_timecode
    movie.duration_s = movie.duration_s or probe.declared_duration_s
    movie.tracks = [_track(number, track) for number, track in enumerate(probe.audio)]
    session.add(movie)
    for job in session.exec(select(Job).where(col(Job.movie_id) == movie.id)):
        job.request = {**job.request, "sha256": sha256} | ({"replaced": [replaced]} if replaced else {})
        session.add(job)
    return note


def _track(number: int, track: AudioTrack) -> dict[str, Any]:
    return {"number": number, "label": track.label, "channels": track.channels, "hz": track.sample_rate_hz}


def forget(session: Session, resources: Resources, movie: Movie) -> None:
    """Drop what was known of a film whose file is another one now; candidates of people stay with the old checksum."""
    remove_items(session, resources, movie)
    for table in (Shot, Scene, DialogueLine, IndexedFilm):
        session.execute(delete(table).where(col(table.movie_id) == movie.id))
    let_go(session, movie.id)
    movie.scan_key, movie.vectors, movie.duration_s, movie.state, movie.ready_at = "", {}, 0.0, "working", None


def save_proxy(session: Session, movie_id: int, name: str) -> None:
    """Which file is played, "" for the film itself."""
    movie = movie_of(session, movie_id)
    movie.proxy = name
    session.add(movie)


def save_analysis(session: Session, movie_id: int, request: AnalysisRequest, known: Analysis) -> None:
    """Shots, scenes and lines. Rows that say the same are left alone; else the film is not ready until the end."""
    movie = movie_of(session, movie_id)
    vectors = {name: request.inputs_of(name, known.scan, known.dialogue) for name in known.features}
    starts = scenes(known)
    made: dict[type[Part], Sequence[Part]] = {
        Shot: shots_of(movie_id, known, starts),
        Scene: scenes_of(movie_id, known, starts),
        DialogueLine: _lines(movie_id, known, "subtitles" if sidecars(request.path) else ""),
    }
    as_it_was = movie.scan_key == request.scan_key and movie.vectors == vectors and movie.state == "ready"
    if as_it_was and all(are_stored(session, table, movie_id, parts) for table, parts in made.items()):
        return
    movie.state, movie.profile = "working", known.schema.name
    movie.scan_key, movie.vectors = request.scan_key, vectors
    movie.duration_s, movie.frames = known.scan.timeline.duration_s, known.scan.timeline.frames
    movie.warnings = list(known.warnings)
    movie.picture = stand_in(known, ())
    session.add(movie)
    for table, parts in made.items():
        session.execute(delete(table).where(col(table.movie_id) == movie_id))
        session.add_all(parts)


def are_stored(
    session: Session, table: type[Part], movie_id: int, made: Sequence[Part], besides: Sequence[str] = ()
) -> bool:
    """Whether the rows of a film say what they should, in every field but the ids and those named in `besides`."""
    found = session.exec(select(table).where(col(table.movie_id) == movie_id).order_by(col(table.number))).all()
    leave_out = {"id", *besides}
    said, wanted = ([part.model_dump(exclude=leave_out) for part in parts] for parts in (found, made))
    return said == wanted


def shots_of(movie_id: int, known: Known, starts: "np.typing.NDArray[np.int64]") -> list[Shot]:
    """The rows of its shots; scenes start at the shots `starts`."""
    spans = known.scan.timeline.seconds_of(known.scan.shots)
    speech = share_of_shots(known.speech_s, spans)
    scene_of = np.searchsorted(starts, np.arange(len(spans)), side="right") - 1
    counts = _faces(known)
    exchanges = scene_of_shots(film_dialogue_scenes(known), len(spans))
    labels = top_labels(known.features["labels"].vectors) if "labels" in known.features else [()] * len(spans)
    made = []
    for number, (start, end) in enumerate(known.scan.shots.tolist()):
        start_s, end_s = spans[number].tolist()
        said = " ".join(line.text for line in known.dialogue if line.start_s < end_s and line.end_s > start_s)
        made.append(
            Shot(
                movie_id=movie_id,
                number=number,
                scene=int(scene_of[number]),
                start_frame=start,
                end_frame=end,
                start_s=start_s,
                end_s=end_s,
                keyframes=[int(frame) for frame in known.scan.keyframes[number]],
                faces=counts[number],
                speech=round(float(speech[number]), 4),
                dialogue=said,
                dialogue_scene=exchanges[number],
                labels=[[label.name, round(label.probability, 4)] for label in labels[number]],
            )
        )
    return made


def _faces(known: Known) -> list[int]:
    for name in ("faces", "facenet"):
        if name in known.features and known.features[name].faces:
            # The most faces that one keyframe shows.
            return [
                max((sum(f.frame == face.frame for f in faces) for face in faces), default=0)
                for faces in known.features[name].faces
            ]
    return [0] * len(known.scan.shots)


def scenes_of(movie_id: int, known: Known, starts: "np.typing.NDArray[np.int64]") -> list[Scene]:
    """The rows of its scenes, which start at the shots `starts`."""
    shots = known.scan.shots
    spans = known.scan.timeline.seconds_of(shots)
    ends = [*starts[1:].tolist(), len(shots)]
    return [
        Scene(
            movie_id=movie_id,
            number=number,
            first_shot=first,
            end_shot=end,
            start_frame=int(shots[first, 0]),
            end_frame=int(shots[end - 1, 1]),
            start_s=float(spans[first, 0]),
            end_s=float(spans[end - 1, 1]),
        )
        for number, (first, end) in enumerate(zip(starts.tolist(), ends, strict=True))
    ]


def _lines(movie_id: int, known: Analysis, beside: str) -> list[DialogueLine]:
    starts = known.scan.timeline.seconds_of(known.scan.shots[:, 0])
    source = beside or ("track" if known.probe.subtitles else "speech recognition")
    return [
        DialogueLine(
            movie_id=movie_id,
            number=number,
            shot=max(0, int(np.searchsorted(starts, line.start_s, side="right")) - 1),
            start_s=line.start_s,
            end_s=line.end_s,
            text=line.text,
            source=source,
        )
        for number, line in enumerate(known.dialogue)
    ]


def save_candidates(session: Session, movie_id: int, known: Analysis, ranking: Ranking) -> None:
    """The ranked windows, each a row; of others those stay that people made, judged or are asked about. Then: ready."""
    movie = movie_of(session, movie_id)
    wanted = select(Candidate).where(
        col(Candidate.project_id) == movie.project_id, col(Candidate.movie_sha256) == movie.sha256
    )
    old = {(row.start_frame, row.end_frame): row for row in session.exec(wanted).all()}
    for clip in ranking.clips:
        row = old.pop((clip.start_frame, clip.end_frame), None) or Candidate(
            project_id=movie.project_id,
            movie_sha256=known.sha256,
            movie_title=movie.title,
            start_frame=clip.start_frame,
            end_frame=clip.end_frame,
            start_s=clip.start_s,
            end_s=clip.end_s,
        )
        session.add(scored(row, clip, ranking.model))
        row.movie_id = movie_id
    session.flush()
    leave_out(session, movie_id, [row.id for row in old.values() if row.id is not None])
    movie.state, movie.problem, movie.ready_at = "ready", "", movie.ready_at or utc_now()
    movie.picture = stand_in(known, ranking.clips)
    session.add(movie)


def scored(row: Candidate, clip: ScoredClip, model: str) -> Candidate:
    """A candidate with what a ranking says of it."""
    row.rank, row.scene = clip.rank, clip.scene
    row.score, row.viral, row.compelling, row.band = clip.score, clip.viral, clip.compelling, clip.band
    row.explanation, row.reasons = dict(clip.explanation), list(clip.reasons)
    row.model, row.updated_at = model, utc_now()
    return row
