"""Every format out and in again: random lists over all rates, no frame off by one; 1,000 where it is to be thorough."""

from pathlib import Path

import pytest
from hypothesis import given, settings

from backend.errors import ExportRefused
from backend.exports.base import Clip, ClipList, Marker
from backend.exports.preflight import preflight
from backend.exports.registry import EXPORTERS
from backend.exports.words import clean, one_line
from labeling.lists.reading import ReadClip, read_list
from tests.chance import examples
from tests.export_lists import lists

READ = ("json", "edl", "fcpxml", "fcp7", "otio")


def put(made: ClipList, name: str, folder: Path) -> Path:
    path = folder / f"list{EXPORTERS[name].suffix}"
    path.write_bytes(b"".join(EXPORTERS[name].write(made)))
    return path


def in_edl(text: str) -> str:
    return "\n".join(one_line(line) for line in text.splitlines())


def expected(clip: Clip, name: str) -> ReadClip:
    """What the format holds of a clip: all of it, but that an EDL has lines of words and single spaces between them."""
    word = one_line if name == "edl" else clean
    return ReadClip(
        clip.source,
        clip.start_frame,
        clip.end_frame,
        word(clip.name),
        in_edl(clip.note) if name == "edl" else clean(clip.note),
        tuple(map(word, clip.reasons)),
        tuple(Marker(marker.frame, word(marker.words)) for marker in clip.markers),
        clip.key,
        clip.score,
        clip.viral,
        clip.compelling,
        clip.band,
    )


def without_markers(clip: ReadClip) -> tuple[object, ...]:
    return (
        clip.source.sha256,
        clip.start_frame,
        clip.end_frame,
        clip.name,
        clip.note,
        clip.reasons,
        clip.key,
        clip.band,
    )


@settings(max_examples=examples(200, 1000))
@given(lists())
def test_what_goes_out_comes_back(tmp_path_factory: pytest.TempPathFactory, made: ClipList) -> None:
    folder = tmp_path_factory.getbasetemp()
    films = list({clip.source.sha256: clip.source for clip in made.clips}.values())
    for name in READ:
        if any(concern.stops for concern in preflight(made, [name])[name]):
            assert name == "edl"
            assert any(clip.source.rate != made.rate for clip in made.clips)
            with pytest.raises(ExportRefused):
                put(made, name, folder)
            continue
        read = read_list(put(made, name, folder), films)
        assert read.rate == made.rate, name
        assert read.drop == made.drop, name
        assert read.handles == made.handles, name
        assert not read.left_out
        for found, clip in zip(read.clips, made.clips, strict=True):
            wanted = expected(clip, name)
            assert without_markers(found) == without_markers(wanted), name
            assert (found.score, found.viral, found.compelling) == (wanted.score, wanted.viral, wanted.compelling)
            assert [marker.words for marker in found.markers] == [marker.words for marker in wanted.markers], name
            if not clip.source.varies or name == "json":
                assert found.markers == wanted.markers, name
