"""What is said of a clip's ends: true, and only where there is something to say."""

import numpy as np
import pytest

from backend.scoring.rank import RankRequest, rank
from tests.test_scoring import make_film


def test_a_line_cut_at_both_ends_is_said():
    film = make_film(speech_s=np.array([[0.0, 600.0]]))
    ranking = rank(film, RankRequest(min_s=60, max_s=60, skip_last_percent=1))
    inner = [clip for clip in ranking.clips if clip.start_s > 0]
    assert inner
    assert all(any("inside a spoken line" in reason for reason in clip.reasons) for clip in inner)


@pytest.mark.parametrize(
    ("shot_s", "skip", "black", "said"),
    [
        (100, 85, [], "Ends inside a shot: the last 85 % of the film are left out."),
        (100, 0, [[0, 5], [95, 105], [195, 600]], "inside a shot, next to black, titles or credits."),
        (600, 0, [], "inside a take that is longer than 70 s."),
    ],
)
def test_why_a_clip_ends_inside_a_shot_is_said(shot_s, skip, black, said):
    film = make_film(shot_s=shot_s, bands_s={"black": np.array(black, float).reshape(-1, 2)})
    (clip, *_) = rank(film, RankRequest(min_s=60, max_s=120 if shot_s < 600 else 70, skip_last_percent=skip)).clips
    found = [reason for reason in clip.reasons if "inside a" in reason]
    assert len(found) == 1
    assert found[0].endswith(said)


def test_no_line_is_cut_where_that_can_be_avoided():
    lines = np.array([[start + 3.5, start + 8.5] for start in range(0, 600, 12)])
    ranking = rank(make_film(speech_s=lines), RankRequest())
    assert len(ranking.clips) == 5
    assert not any("spoken line" in reason for clip in ranking.clips for reason in clip.reasons)
