"""The filters a clip runs through: trimming, deinterlacing, framing, tone mapping, lines, fades, loudness, as an
ffmpeg-python graph.
"""

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from backend.media.captions import FONTS
from backend.media.crop import SHAPES, CropPath, window_share
from backend.media.loudness import Level, levelled
from backend.media.source import Source

MAX_SIDE = 4096
MAX_REELS_HEIGHT = 1920
MAX_SQUARE_SIDE = 1080
MAX_WIDE = (3840, 2160)
WIDE = Fraction(16, 9)
# A little above the middle, where heads are, when an upright picture is cut to a less upright one.
UPPER_MIDDLE = 0.45
# PQ and HLG code values to display values, where the binary lacks zscale: an approximation by eye that compresses
# highlights and leaves the wider gamut as it is.
HDR_CURVE = {
    "pq": "0/0 0.2/0.06 0.4/0.32 0.5/0.55 0.58/0.76 0.7/0.92 1/1",
    "hlg": "0/0 0.25/0.18 0.5/0.48 0.75/0.85 1/1",
}
TRANSFER_NAMES = {"pq": "smpte2084", "hlg": "arib-std-b67"}


@dataclass(frozen=True)
class Span:
    """What is kept, in exact seconds of the film (0 is its first frame), and its frame numbers.

    Margins are half the distance to the neighbouring frame: a time stamp may be off by as much.
    time_base   of the clip: one frame where the rate is constant, a fine one where it varies
    """

    start_frame: int
    end_frame: int
    start_s: Fraction
    end_s: Fraction
    start_margin_s: Fraction
    end_margin_s: Fraction
    time_base: Fraction

    @property
    def duration_s(self) -> Fraction:
        """Length of the clip."""
        return self.end_s - self.start_s


@dataclass(frozen=True)
class Finish:
    """What becomes of the frames and the sound of a span.

    shape     original, reels (9:16), square, or wide (16:9, with bars)
    crop      where the window of reels and square lies; None is the centre
    fade_s    picture and sound come out of black and silence, and end in them; at most half the clip each
    captions  an ASS file whose lines are burnt in; its clock is the clip's
    level     what brings the sound to the wanted loudness
    zscale    whether this ffmpeg has that filter
    count     whether frames are counted, since time stamps cannot be trusted
    """

    shape: str = "original"
    crop: CropPath | None = None
    fade_s: float = 0.0
    captions: Path | None = None
    level: Level | None = None
    zscale: bool = True
    count: bool = False


def picture_chain(stream: Any, source: Source, span: Span, finish: Finish) -> Any:
    """The picture: exactly the frames of `span`, finished, 8-bit 4:2:0 with square pixels, from time 0 on."""
    if finish.count:
        stream = stream.filter("trim", start_frame=span.start_frame, end_frame=span.end_frame)
        stream = stream.filter("setpts", f"round(N*{float(span.duration_s / _frames(span)):.12g}/TB)")
    else:
        begin = source.first_s + span.start_s
        end = source.first_s + span.end_s
        stream = stream.filter(
            "trim", start=_seconds(begin - span.start_margin_s), end=_seconds(end - span.end_margin_s)
        )
        stream = stream.filter("setpts", f"round(PTS-{_seconds(begin)}/TB)")
    if source.interlaced:
        stream = stream.filter("bwdif", mode="send_frame", parity="auto", deint="interlaced")
    stream = _framed(stream, source, finish.shape, finish.crop)
    if source.transfer:
        stream = tone_mapped(stream, source.transfer, finish.zscale)
    stream = stream.filter("format", "yuv420p").filter("setsar", "1")
    if finish.shape == "wide":
        width, height = clip_size(source, "wide")
        stream = stream.filter("pad", width, height, "(ow-iw)/2", "(oh-ih)/2")
    if finish.captions:
        stream = stream.filter("ass", filename=str(finish.captions), fontsdir=str(FONTS))
    stream = _faded(stream, "fade", span, finish.fade_s)
    return stream.filter("settb", f"{span.time_base.numerator}/{span.time_base.denominator}")


def sound_chain(stream: Any, source: Source, span: Span, finish: Finish) -> Any:
    """The sound of `span`, mono or stereo, padded with silence where the film has none, as long as the picture."""
    stream = _trimmed_sound(stream, source, span, finish.count)
    if finish.level:
        stream = levelled(stream, finish.level).filter("atrim", end=_seconds(span.duration_s))
    return _faded(stream, "afade", span, finish.fade_s)


def _trimmed_sound(stream: Any, source: Source, span: Span, count: bool) -> Any:
    if count:
        stream = stream.filter("asetpts", f"(N/SR+{_seconds(source.audio_start_s - source.first_s)})/TB")
        begin = span.start_s
    else:
        begin = source.first_s + span.start_s
    stream = stream.filter("atrim", start=_seconds(begin), end=_seconds(begin + span.duration_s))
    stream = stream.filter("asetpts", f"PTS-{_seconds(begin)}/TB")
    stream = stream.filter("aresample", **{"async": 1, "first_pts": 0, "min_hard_comp": 0.02})
    stream = stream.filter("apad", whole_dur=_seconds(span.duration_s)).filter("atrim", end=_seconds(span.duration_s))
    return stream.filter("aformat", channel_layouts="stereo|mono", sample_rates="48000|44100")


def _faded(stream: Any, name: str, span: Span, fade_s: float) -> Any:
    """Fades of `fade_s` at both ends, by the filter for pictures or for sound."""
    length_s = min(Fraction(fade_s), span.duration_s / 2)
    if length_s <= 0:
        return stream
    stream = stream.filter(name, type="in", start_time=0, duration=_seconds(length_s))
    return stream.filter(name, type="out", start_time=_seconds(span.duration_s - length_s), duration=_seconds(length_s))


def clip_size(source: Source, shape: str) -> tuple[int, int]:
    """Width and height of the clip, even; never larger than what is cut out of the film."""
    if shape == "reels":
        height = min(MAX_REELS_HEIGHT, source.height, source.width * 16 // 9)
        return even(height * 9 / 16), even(height)
    if shape == "square":
        side = even(min(MAX_SQUARE_SIDE, source.width, source.height))
        return side, side
    if shape == "wide":
        return _wide_size(source)
    shrink = min(1.0, MAX_SIDE / max(source.width, source.height))
    return even(source.width * shrink), even(source.height * shrink)


def _wide_size(source: Source) -> tuple[int, int]:
    """16:9 around the whole picture; around an upright one no higher than that is wide."""
    if source.width * WIDE.denominator >= source.height * WIDE.numerator:
        width = min(MAX_WIDE[0], source.width)
        return even(width), even(float(width / WIDE))
    height = min(MAX_WIDE[1], source.width, source.height)
    return even(float(height * WIDE)), even(height)


def crop_expression(path: CropPath | None, share: float) -> str:
    """Left edge of the window over time (`t`, seconds of the clip), for ffmpeg's crop filter.

    A flat sum of clipped ramps and steps: one term a key, however long the clip, since nested conditions meet
    ffmpeg's limit of depth.
    """
    terms = ["0.5"]
    if path is not None and len(path.x):
        terms = [f"{path.x[0]:.5f}"]
        steps = zip(path.seconds[:-1], path.seconds[1:], path.x[:-1], path.x[1:], strict=True)
        for begin, end, here, there in steps:
            if abs(there - here) < 1e-5:
                continue
            if end - begin < 1e-6:
                terms.append(f"({there - here:.5f})*gte(t,{begin - 0.002:.4f})")
            else:
                terms.append(f"({there - here:.5f})*clip((t-{begin:.4f})/{end - begin:.4f},0,1)")
    return f"iw*clip({'+'.join(terms)}-{share / 2:.5f},0,{1 - share:.5f})"


def _framed(stream: Any, source: Source, shape: str, crop: CropPath | None) -> Any:
    width, height = clip_size(source, shape)
    if shape == "wide":
        shrink = min(width / source.width, height / source.height)
        width, height = min(width, even(source.width * shrink)), min(height, even(source.height * shrink))
    if shape in SHAPES:
        across = window_share(source.width, source.height, shape)
        down = min(1.0, source.width / SHAPES[shape] / source.height)
        # Frames change size in some broadcasts, so the window is a share and not a number of pixels.
        window = {"w": f"max(2,round(iw*{across:.6f}))", "h": f"max(2,round(ih*{down:.6f}))"}
        stream = stream.filter("crop", **window, x=crop_expression(crop, across), y=f"(ih-oh)*{UPPER_MIDDLE}")
    options: dict[str, Any] = {"flags": "bicubic+accurate_rnd"}
    if not source.transfer:
        options["out_range"] = "tv"
    if source.is_rgb:
        options["out_color_matrix"] = "bt709"
    return stream.filter("scale", width, height, **options)


def tone_mapped(stream: Any, transfer: str, zscale: bool) -> Any:
    """From PQ or HLG to BT.709; with zscale by its numbers, without by a plain curve on RGB."""
    if not zscale:
        return stream.filter("format", "gbrp").filter("curves", all=HDR_CURVE[transfer])
    source = {"tin": TRANSFER_NAMES[transfer], "pin": "bt2020", "min": "bt2020nc", "rin": "tv"}
    stream = stream.filter("zscale", t="linear", npl=203, **source).filter("format", "gbrpf32le")
    stream = stream.filter("zscale", p="bt709").filter("tonemap", "mobius", desat=0)
    return stream.filter("zscale", t="bt709", m="bt709", p="bt709", r="tv")


def even(length: float) -> int:
    """The nearest even number of pixels, as 4:2:0 needs it."""
    return max(2, 2 * round(length / 2))


def _frames(span: Span) -> int:
    return span.end_frame - span.start_frame


def _seconds(value: Fraction) -> str:
    return f"{float(value):.9f}"
