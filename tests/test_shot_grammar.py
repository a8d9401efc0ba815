"""The grammar of shots: the face-size rule, dialogue scenes of two characters, the optional block, a whole film."""

import json
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.analysis.film import analyse
from backend.analysis.request import AnalysisRequest
from backend.analysis.shot_grammar import film_dialogue_scenes
from backend.analysis.stored import stored_film
from backend.analysis.view import scoring_film
from backend.errors import SchemaMismatch
from backend.features.base import FaceBox, ShotMaterial
from backend.features.framing.block import Framing as FramingBlock
from backend.features.framing.scale import NOBODY, SCALES, Framing, by_faces, by_frame
from backend.features.framing.scenes import LEAST_SPEECH, Portrait, dialogue_scenes, scene_of_shots
from backend.features.registry import OPTIONAL, build, profile_named
from backend.features.schema import FeatureSchema
from tests.command import selects, selects_json
from tests.conversation import SHOTS, TALKING
from tests.films import run_ffmpeg
from tests.material import picture

SHOT_S = 2.0


def face(height: float, frame: int = 0, width: float = 0.1) -> FaceBox:
    return FaceBox(frame, 0.4, 0.1, width, height, 0.99)


# -- the rule


@pytest.mark.parametrize(
    ("height", "framing"),
    [
        (0.80, Framing(False, "extreme close-up")),
        (0.45, Framing(True, "close-up")),
        (0.25, Framing(True, "medium")),
        (0.15, Framing(False, "medium")),
        (0.08, Framing(False, "full")),
        (0.03, Framing(False, "long")),
    ],
    ids=lambda value: value.scale if isinstance(value, Framing) else str(value),
)
def test_the_height_of_the_largest_face_says_how_it_is_framed(height: float, framing: Framing) -> None:
    assert by_faces([face(height)]) == framing
    assert by_faces([face(height / 8), face(height), face(height / 8)]) == framing


def test_two_faces_of_about_one_size_are_no_medium_close_up() -> None:
    assert by_faces([face(0.25)]).medium_close_up
    assert not by_faces([face(0.25), face(0.24)]).medium_close_up
    assert by_faces([]) == Framing(False, NOBODY)


def test_the_astronaut_is_a_medium_close_up_and_smaller_she_is_not(films: Path, extractor) -> None:
    whole = picture(films)
    far = np.zeros((320, 570, 3), np.uint8)
    far[180:, 220:360] = cv2.resize(whole, (140, 140), interpolation=cv2.INTER_AREA)
    found = extractor("faces").extract([ShotMaterial(0, 1, (one,), (0,)) for one in (whole, far)]).faces
    near, small = (by_faces(faces) for faces in found)
    assert near.medium_close_up
    assert not small.medium_close_up
    assert SCALES.index(small.scale) > SCALES.index(near.scale)


# -- dialogue scenes


def shots(people: Sequence[int | None], speech: float = 1.0) -> list[Portrait]:
    return [Portrait(SHOT_S * k, SHOT_S * (k + 1), person, SHOT_S * speech) for k, person in enumerate(people)]


@pytest.mark.parametrize(
    ("people", "scenes"),
    [
        ([1, 2, 1, 2], [(0, 4, 4)]),
        ([1, 2, 1], []),
        ([1, 1, 2, 2, 1, 2], [(0, 6, 4)]),
        ([None, 1, 2, 1, 2, None], [(1, 5, 4)]),
        ([1, 2, None, 1, 2, 1], [(0, 6, 5)]),
        ([1, 2, None, None, 1, 2], []),
        ([1, 2, 1, 3, 1, 3, 1], [(2, 7, 5)]),
        ([3, 1, 2, 1, 2], [(1, 5, 4)]),
        ([1, 2, 1, 2, 3, 4, 3, 4], [(0, 4, 4), (4, 8, 4)]),
        ([1, 2, 3, 1, 2, 3], []),
        ([1, 1, 1, 1, 1], []),
        ([], []),
    ],
    ids=lambda value: "".join("-" if one is None else str(one) for one in value) if isinstance(value, list) else "",
)
def test_dialogue_scenes_alternate(people: list[int | None], scenes: list[tuple[int, int, int]]) -> None:
    found = dialogue_scenes(shots(people))
    assert [(scene.first_shot, scene.end_shot, scene.turns) for scene in found] == scenes


def test_a_scene_without_speech_is_none() -> None:
    assert dialogue_scenes(shots([1, 2, 1, 2], LEAST_SPEECH + 0.01))
    assert not dialogue_scenes(shots([1, 2, 1, 2], LEAST_SPEECH - 0.01))


def test_a_scene_says_who_is_in_which_shot() -> None:
    (scene,) = dialogue_scenes(shots([7, 7, 3, None, 7, 3]))
    assert (scene.persons, scene.shots_of) == ((7, 3), ((0, 1, 4), (2, 5)))
    assert (scene.start_s, scene.end_s, scene.speech) == (0.0, 12.0, 1.0)
    assert scene_of_shots([scene], 7) == [0, 0, 0, 0, 0, 0, None]


@given(st.lists(st.one_of(st.none(), st.integers(0, 3)), max_size=40))
def test_every_dialogue_scene_holds_what_it_claims(people: list[int | None]) -> None:
    last = 0
    for scene in dialogue_scenes(shots(people)):
        assert scene.first_shot >= last
        last = scene.end_shot
        own = [person for person in people[scene.first_shot : scene.end_shot] if person is not None]
        turns = [one for one, before in zip(own, [None, *own], strict=False) if one != before]
        assert len(turns) == scene.turns >= 4
        assert set(own) == set(scene.persons)


# -- the optional block


def test_the_block_counts_keyframes() -> None:
    faces = (face(0.25, 5), face(0.03, 9))
    assert by_frame(faces, (5, 9, 12)) == [Framing(True, "medium"), Framing(False, "long"), Framing(False, NOBODY)]
    (row,) = FramingBlock().extract([ShotMaterial(0, 1, keyframe_at=(5, 9, 12, 15), faces=faces)]).vectors
    assert row.tolist() == [0.25, 0.0, 0.0, 0.25, 0.0, 0.25]


@pytest.mark.parametrize("profile", ["embedded", "full"])
def test_version_2_of_a_schema_serves_models_of_version_1(profile: str) -> None:
    one, two = profile_named(profile).schema, profile_named(profile).framed
    assert (one.version, two.version, two.dimension) == (1, 2, one.dimension + 6)
    assert two.holds(one)
    assert not one.holds(two)
    assert two.columns(one).tolist() == list(range(one.dimension))
    assert two.columns(two).tolist() == list(range(two.dimension))
    with pytest.raises(SchemaMismatch, match="framing 6"):
        one.columns(two)


def test_another_schema_of_the_same_blocks_is_not_held() -> None:
    one = profile_named("embedded").schema
    assert not FeatureSchema("embedded", 2, one.blocks).holds(one)
    assert not FeatureSchema("other", 2, profile_named("embedded").framed.blocks).holds(one)


# -- a film


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


def test_a_conversation_is_found_in_a_film(conversation: Path, home: Path) -> None:
    (found,) = selects_json("framing", "scenes", conversation, home=home)
    assert found["judged_by"] == "rule"
    assert found["movie"]["shots"] == SHOTS
    (scene,) = found["scenes"]
    assert (scene["first_shot"], scene["end_shot"], scene["turns"]) == (0, TALKING, TALKING)
    assert scene["shots_of"] == [[0, 2, 4, 6], [1, 3, 5, 7]]
    assert (scene["start_s"], scene["end_s"]) == (0.0, 16.0)
    table = selects("framing", "scenes", conversation, home=home)
    assert table.returncode == 0
    assert "1 dialogue scene\n" in table.stdout
    assert "shots 1 – 8, 8 turns" in table.stdout


def test_the_block_of_a_film_is_stored_and_models_of_version_1_go_on(conversation: Path, home: Path) -> None:
    """As the service analyses with SELECTS_ANALYSIS__FRAMING: the block is made of the faces that were found."""
    profile = profile_named("embedded")
    extractors = build("embedded", cache=home / "networks", extras=OPTIONAL)
    wanted = AnalysisRequest(path=conversation, home=home, schema=profile.framed, extractors=extractors)
    known = analyse(wanted)
    block = known.vectors[:, known.schema.slices["framing"]]
    assert block[:TALKING, 0].tolist() == [1.0] * TALKING
    assert not block[TALKING:].any()
    vectors = {name: wanted.inputs_of(name, known.scan, known.dialogue) for name in known.features}
    scan_key = wanted.scan_key
    stored = stored_film(home, known.sha256, scan_key, "embedded", vectors)
    assert stored.schema == profile.framed
    assert np.array_equal(stored.vectors, known.vectors)
    film = scoring_film(stored)
    assert np.array_equal(film.vectors_for(profile.schema), known.vectors[:, : profile.schema.dimension])
    del vectors["framing"]
    before = stored_film(home, known.sha256, scan_key, "embedded", vectors)
    assert before.schema == profile.schema
    assert film_dialogue_scenes(before) == film_dialogue_scenes(stored)


def test_a_film_without_faces_has_no_dialogue_scenes(films: Path, home: Path) -> None:
    clip = home / "walking.mp4"
    run_ffmpeg("-i", f"file:{films / 'people_walking_432p.mp4'}", "-t", 5, "-c", "copy", f"file:{clip}")
    assert [found["scenes"] for found in selects_json("framing", "scenes", clip, home=home)] == [[]]


def test_one_exchange_of_looks_is_no_dialogue_scene(films: Path, home: Path) -> None:
    """Sintel's trailer: the shaman speaks, then she is seen, and they are not seen again (docs/framing.md)."""
    (found,) = selects_json("framing", "scenes", films / "sintel_trailer_204p.mp4", home=home)
    assert (found["movie"]["shots"], found["scenes"]) == (18, [])


def test_a_wrong_call_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for arguments, said in (
        (("scenes", tmp_path / "empty"), "no films"),
        (("scenes", "x.mp4", "--model", tmp_path / "empty"), "selects framing train"),
        (("frames", "x.mp4", "--out", tmp_path / "o", "--every", "0"), "from 0.001 on"),
        (("train", tmp_path / "empty", "--out", tmp_path / "o"), f"selects framing label {tmp_path / 'empty'}"),
    ):
        wrong = selects("framing", *arguments, home=tmp_path / "home", cwd=tmp_path)
        assert (wrong.returncode, wrong.stdout) == (2, ""), wrong
        assert said in wrong.stderr
        assert len(wrong.stderr.splitlines()) == 1


def test_json_is_one_list(conversation: Path, home: Path) -> None:
    said = selects("framing", "scenes", conversation, conversation, "--json", home=home).stdout
    assert len(json.loads(said)) == 2
