"""`selects framing scenes`: the dialogue scenes of a film file, from its analysis, with the rule or a trained judge."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from backend.analysis.film import Analysis, analyse
from backend.analysis.pictures import read_pictures
from backend.analysis.progress import Progress, silent
from backend.analysis.request import AnalysisRequest
from backend.analysis.shot_grammar import film_dialogue_scenes
from backend.errors import InputError
from backend.features.framing.judge import Judge
from backend.features.framing.scenes import DialogueScene
from backend.features.registry import build, profile_named
from backend.settings import Settings


@dataclass(frozen=True)
class Found:
    """The dialogue scenes of a film; `judged` says by what shots were judged."""

    film: Path
    sha256: str
    judged: str
    shots: int
    scenes: Sequence[DialogueScene]

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values; shots are counted from 0, `[first_shot, end_shot)`."""
        scenes = [
            {
                "start_s": round(scene.start_s, 3),
                "end_s": round(scene.end_s, 3),
                "first_shot": scene.first_shot,
                "end_shot": scene.end_shot,
                "turns": scene.turns,
                "speech": round(scene.speech, 4),
                "shots_of": [list(own) for own in scene.shots_of],
            }
            for scene in self.scenes
        ]
        movie = {"path": str(self.film), "sha256": self.sha256, "shots": self.shots}
        return {"movie": movie, "judged_by": self.judged, "scenes": scenes}


def conversations(
    film: Path, settings: Settings, profile: str, judge: Judge | None, progress: Progress = silent
) -> Found:
    """Analyse a film (or take the analysis from the cache) and find its dialogue scenes.

    Raises FilmUnreadable, UnknownName, MissingWeights, OutputError, InputError for a head of another profile.
    """
    wanted = profile_named(profile).schema
    if judge is not None and judge.kind == "head" and wanted.blocks[0].extractor != judge.card.get("space"):
        raise InputError(
            f"This head judges vectors of {judge.card.get('space')}, which profile {profile!r} does not make."
        )
    models = settings.models
    paths = {name: str(path) for name, path in models.paths.items()}
    extractors = build(profile, paths=paths, cache=settings.home / "networks", offline=models.offline)
    known = analyse(AnalysisRequest(path=film, home=settings.home, schema=wanted, extractors=extractors), progress)
    scenes = film_dialogue_scenes(known, None if judge is None else judged_shots(known, judge))
    return Found(film, known.sha256, judge.kind if judge else "rule", len(known.scan.shots), scenes)


def judged_shots(known: Analysis, judge: Judge) -> list[bool]:
    """For each shot whether a trained judge takes it for a medium close-up: a head by its vector, a CNN by half of its
    keyframes.
    """
    if judge.kind == "head":
        vectors = known.vectors[:, known.schema.slices["visual"]]
        return [bool(said) for said in judge.of_vectors(vectors) >= judge.threshold]
    answers: list[bool] = []
    for index, keyframe_at in enumerate(known.scan.keyframes):
        images = read_pictures(known.pictures, index, keyframe_at, 0).keyframes
        answers.append(bool(images) and 2 * int(np.sum(judge.of_pictures(images) >= judge.threshold)) >= len(images))
    return answers
