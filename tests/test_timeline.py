"""Frames and time: the timeline, timecode with dropped numbers, and the timeline made of decoded timestamps."""

import re
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.errors import InputError
from backend.media.decode import build_timeline, holes, reordered
from backend.media.probe import standard_rate
from backend.media.timecode import Timecode, source_timecode
from backend.media.timeline import Timeline

FILM, NTSC, NTSC60 = Fraction(24000, 1001), Fraction(30000, 1001), Fraction(60000, 1001)
RATES = (FILM, Fraction(24), Fraction(25), NTSC, Fraction(30), Fraction(50), NTSC60)
COUNTINGS = {
    "23.976": Timecode.at_rate(FILM),
    "24": Timecode.at_rate(Fraction(24)),
    "25": Timecode.at_rate(Fraction(25)),
    "29.97": Timecode.at_rate(NTSC),
    "29.97 drop": Timecode.at_rate(NTSC, drop=True),
    "30": Timecode.at_rate(Fraction(30)),
    "59.94 drop": Timecode.at_rate(NTSC60, drop=True),
    "120": Timecode.at_rate(Fraction(120)),
}
DROP = COUNTINGS["29.97 drop"]
DROP60 = COUNTINGS["59.94 drop"]
TICK = Fraction(1, 90000)


def varying(steps: list[int], rate: Fraction = Fraction(25), time_base: Fraction = Fraction(1, 1000)) -> Timeline:
    """A timeline with a table: the lengths of its frames in ticks."""
    return Timeline(rate, len(steps), time_base, np.cumsum([0, *steps], dtype=np.int64))


# --- Timeline


@given(st.sampled_from(RATES), st.integers(0, 10_000_000))
def test_the_start_of_a_frame_lies_in_that_frame(rate: Fraction, frame: int) -> None:
    line = Timeline(rate, 10_000_001)
    assert line.exact(frame) == frame / rate
    assert line.frame_at(line.seconds(frame)) == frame
    assert line.frame_at(float((frame + Fraction(1, 2)) / rate)) == frame
    assert line.frame_at(round(line.seconds(frame), 6)) == frame


@given(st.lists(st.integers(1, 400), min_size=1, max_size=50))
def test_so_it_does_where_the_rate_varies(steps: list[int]) -> None:
    line = varying(steps)
    for frame, step in enumerate(steps):
        assert line.exact(frame) == Fraction(sum(steps[:frame]), 1000)
        assert line.frame_at(line.seconds(frame)) == frame
        assert line.frame_at(line.seconds(frame) + step / 2000) == frame
    assert line.duration_s == pytest.approx(sum(steps) / 1000)
    assert line.frame_at(line.duration_s) == len(steps)


@pytest.mark.parametrize("line", [Timeline(FILM, 100), varying([40, 20, 60, 40] * 25)], ids=["constant", "varying"])
def test_arrays_of_frames_give_what_single_frames_give(line: Timeline) -> None:
    frames = np.array([[0, 1], [57, 99], [3, 100]])
    assert line.seconds_of(frames).shape == (3, 2)
    np.testing.assert_allclose(line.seconds_of(frames), [[line.seconds(f) for f in row] for row in frames.tolist()])


def test_times_outside_the_film_are_its_ends() -> None:
    for line in (Timeline(Fraction(25), 100), varying([40] * 100)):
        assert (line.frame_at(-1.0), line.frame_at(1e6)) == (0, 100)
    assert varying([40, 80]).exact(7) == Fraction(120, 1000)


# --- Timecode


@pytest.mark.parametrize(
    ("counting", "frame", "text"),
    [
        ("29.97 drop", 1799, "00:00:59;29"),
        ("29.97 drop", 1800, "00:01:00;02"),
        ("29.97 drop", 17981, "00:09:59;29"),
        ("29.97 drop", 17982, "00:10:00;00"),
        ("29.97 drop", 19782, "00:11:00;02"),
        ("29.97 drop", 107892, "01:00:00;00"),
        ("59.94 drop", 3600, "00:01:00;04"),
        ("59.94 drop", 35964, "00:10:00;00"),
        ("29.97", 1800, "00:01:00:00"),
        ("23.976", 86400, "01:00:00:00"),
        ("24", 23, "00:00:00:23"),
        ("25", 90000 + 61 * 25 + 7, "01:01:01:07"),
        ("30", 1800, "00:01:00:00"),
        ("120", 119, "00:00:00:119"),
    ],
)
def test_known_timecodes(counting: str, frame: int, text: str) -> None:
    assert COUNTINGS[counting].format(frame) == text
    assert COUNTINGS[counting].parse(text) == frame


@pytest.mark.parametrize("name", COUNTINGS)
@given(data=st.data())
def test_a_timecode_is_read_back(name: str, data: st.DataObject) -> None:
    counting = COUNTINGS[name]
    day = counting.parse("23:59:59:" + f"{counting.nominal - 1:02}") + 1
    frame = data.draw(st.integers(0, day - 1))
    text = counting.format(frame)
    assert counting.parse(text) == frame
    assert (";" in text) is counting.drop
    assert counting.format(frame + day) == text


@pytest.mark.parametrize("name", ["29.97 drop", "59.94 drop"])
@given(frame=st.integers(0, 2_500_000))
def test_dropped_numbers_are_never_given_and_keep_to_the_clock(name: str, frame: int) -> None:
    counting = COUNTINGS[name]
    hours, minutes, seconds, frames = map(int, re.split("[:;]", counting.format(frame)))
    assert minutes % 10 == 0 or seconds > 0 or frames >= counting.nominal // 15
    told_s = 3600 * hours + 60 * minutes + seconds + frames / counting.nominal
    assert abs(told_s - frame * 1001 / (counting.nominal * 1000)) < 0.14


def test_numbers_are_dropped_only_where_that_exists() -> None:
    assert (DROP.nominal, DROP.drop) == (30, True)
    assert (DROP60.nominal, DROP60.drop) == (60, True)
    assert not any(Timecode.at_rate(rate, drop=True).drop for rate in (FILM, Fraction(24), Fraction(25), Fraction(30)))


@pytest.mark.parametrize(
    "text",
    ["00:01:00;00", "00:01:00;01", "00:00:00;30", "00:60:00;00", "00:00:60;00", "1:2:3;4", "tomorrow", "", "00:00:00"],
)
def test_a_timecode_that_does_not_exist_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="timecode"):
        DROP.parse(text)


@pytest.mark.parametrize(
    ("start", "rate", "frame", "text"),
    [
        ("01:00:00:00", Fraction(24), 36, "01:00:01:12"),
        ("10:00:00;00", NTSC, 1800, "10:01:00;02"),
        ("00:59:59;29", NTSC, 1, "01:00:00;00"),
        ("01:00:00:00", NTSC, 1800, "01:01:00:00"),
        ("23:59:59:24", Fraction(25), 1, "00:00:00:00"),
        (None, Fraction(25), 26, "00:00:01:01"),
        ("00:01:00;00", NTSC, 2, "00:00:00;02"),
        ("rubbish", Fraction(25), 26, "00:00:01:01"),
    ],
)
def test_the_source_counts_from_its_own_start(start: str | None, rate: Fraction, frame: int, text: str) -> None:
    assert source_timecode(start, rate, frame) == text


# --- rates


@pytest.mark.parametrize(
    ("told", "meant"),
    [
        ("29.97", NTSC),
        ("23.976", FILM),
        ("23.97602", FILM),
        ("59.94", NTSC60),
        ("47.952", Fraction(48000, 1001)),
        ("25", Fraction(25)),
        ("24.0001", Fraction(24)),
        ("12.5", Fraction(25, 2)),
        ("0.2", Fraction(1, 5)),
        ("29.5", Fraction(59, 2)),
    ],
)
def test_rounded_rates_stand_for_broadcast_rates(told: str, meant: Fraction) -> None:
    assert standard_rate(Fraction(told)) == meant


# --- from decoded timestamps


def stamps(rate: Fraction, frames: int, time_base: Fraction = TICK, start: int = 0) -> list[int | None]:
    """Timestamps as containers keep them: rounded to the time base."""
    return [start + round(n / rate / time_base) for n in range(frames)]


@pytest.mark.parametrize("time_base", [TICK, Fraction(1, 1000), Fraction(1, 12800)], ids=str)
@pytest.mark.parametrize("rate", RATES, ids=str)
def test_even_timestamps_are_a_plain_rate(rate: Fraction, time_base: Fraction) -> None:
    line, mended = build_timeline(stamps(rate, 5000, time_base, start=777), 0, time_base, rate)
    assert (line, mended) == (Timeline(rate, 5000), 0)


def test_a_wrong_rate_in_the_header_is_replaced_by_the_measured_one() -> None:
    line, mended = build_timeline(stamps(NTSC, 500), 0, TICK, Fraction(60))
    assert (line, mended) == (Timeline(NTSC, 500), 0)


@given(st.lists(st.integers(1, 300), min_size=2, max_size=60), st.integers(-5000, 5000))
def test_uneven_timestamps_are_kept_in_a_table(steps: list[int], start: int) -> None:
    time_base = Fraction(1, 1000)
    ticks: list[int | None] = [start + sum(steps[:n]) for n in range(len(steps))]
    line, mended = build_timeline(ticks, steps[-1], time_base, Fraction(25))
    assert mended == 0
    assert line.frames == len(steps)
    if line.pts is not None:
        assert line.pts.tolist() == [sum(steps[:n]) for n in range(len(steps) + 1)]
    else:
        expected = np.array([sum(steps[:n]) / 1000 for n in range(len(steps))])
        np.testing.assert_allclose(line.seconds_of(np.arange(len(steps))), expected, atol=0.2 / 25 + 0.001)


def test_the_last_frame_lasts_as_long_as_it_says_or_one_step() -> None:
    ticks: list[int | None] = [0, 40, 120]
    for told, end in ((25, 145), (0, 160), (10**9, 160)):
        line, _ = build_timeline(ticks, told, Fraction(1, 1000), Fraction(25))
        assert line.pts is not None
        assert line.pts.tolist() == [0, 40, 120, end]


@pytest.mark.parametrize(
    ("jump", "mended"),
    [
        ({50: None}, 0),
        ({50: 49 * 3600}, 1),
        ({0: None, 1: None}, 1),
        (dict.fromkeys(range(50, 100), None), 0),
    ],
    ids=["one missing", "one repeated", "the first two missing", "half missing"],
)
def test_missing_and_repeated_timestamps_are_counted_on(jump: dict[int, int | None], mended: int) -> None:
    ticks = stamps(Fraction(25), 100)
    for at, value in jump.items():
        ticks[at] = value
    line, found = build_timeline(ticks, 3600, TICK, Fraction(25))
    assert line.frames == 100
    assert found == mended
    assert np.all(np.diff(line.seconds_of(np.arange(101))) > 0)
    assert abs(line.duration_s - 4.0) <= 0.081


@pytest.mark.parametrize("by_s", [-1, -100, 700, 90000], ids="{} s".format)
def test_a_clock_that_jumps_is_counted_on(by_s: int) -> None:
    ticks = [*stamps(Fraction(25), 60), *stamps(Fraction(25), 40, start=(60 * 3600) + by_s * 90000)]
    line, mended = build_timeline(ticks, 3600, TICK, Fraction(25))
    assert mended == 1
    assert line == Timeline(Fraction(25), 100)


def test_a_few_timestamps_that_run_ahead_are_spread() -> None:
    ticks = stamps(Fraction(25), 100)
    ticks[50] = int(ticks[50] or 0) + 5 * 3600
    line, mended = build_timeline(ticks, 3600, TICK, Fraction(25))
    assert mended > 0
    assert line.frames == 100
    np.testing.assert_allclose(line.seconds_of(np.arange(101)), np.arange(101) / 25, atol=0.001)


@given(st.lists(st.one_of(st.none(), st.integers(-(2**40), 2**40)), min_size=1, max_size=80), st.integers(-1, 2**40))
def test_whatever_the_timestamps_say_time_goes_forward(ticks: list[int | None], last: int) -> None:
    line, mended = build_timeline(ticks, last, TICK, Fraction(25))
    assert line.frames == len(ticks)
    assert mended >= 0
    seconds = line.seconds_of(np.arange(len(ticks) + 1))
    assert seconds[0] == 0
    assert np.all(np.diff(seconds) > 0)


def test_timestamps_in_the_order_of_decoding_are_sorted() -> None:
    assert reordered([0, 120, 40, 80, 240, 160, 200]) == [0, 40, 80, 120, 160, 200, None]
    assert reordered([0, None, 80, 40]) == [0, 40, None, None]


def test_missing_pictures_are_said() -> None:
    steps = [40] * 200
    assert holes(varying(steps)) == []
    steps[70] = 2040
    (told,) = holes(varying(steps))
    assert "1 place(s), 2.0 s" in told
    assert holes(Timeline(Fraction(25), 200)) == []
    assert holes(varying([40, 500] * 100)) == []
