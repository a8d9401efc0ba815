"""`selects framing`: stills of films, labels of them, what is learnt from those, dialogue scenes of two characters."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from backend import options

if TYPE_CHECKING:
    from backend.analysis.conversations import Found
    from backend.features.base import Extractor
    from backend.features.framing.judge import Judge
    from backend.settings import Settings

framing_app = typer.Typer(no_args_is_help=True, help="How films are shot: stills, shot scales, dialogue scenes.")

Films = Annotated[list[Path], typer.Argument(metavar="FILM... | DIR", help="Films, or folders of films.")]
Stills = Annotated[Path, typer.Argument(metavar="DIR", help="A folder that `selects framing frames` has written.")]
Labels = Annotated[
    Path | None, typer.Option(metavar="FILE", help="The labels, a CSV file (default: labels.csv in the folder).")
]
Model = Annotated[
    Path | None,
    typer.Option(
        "--model", metavar="DIR", help="What `selects framing train` wrote: its folder cnn, cnn-tuned or head."
    ),
]


@framing_app.callback()
def framing() -> None:
    """How films are shot: stills, shot scales, dialogue scenes."""


@framing_app.command("frames")
def framing_frames(
    films: Films,
    out: Annotated[Path, typer.Option(metavar="DIR", help="Where the stills go, with frames.csv.")],
    every: Annotated[float, typer.Option(metavar="SECONDS", help="A still every so many seconds.")] = 8.0,
    height: Annotated[int, typer.Option(min=64, max=2160, metavar="PIXELS", help="So high at most.")] = 360,
) -> None:
    """Write stills of films every few seconds, named by timecode; a stopped run goes on, a second does nothing."""
    from backend.analysis.stills import FramesRequest, films_of, write_stills
    from backend.library.places import films_in
    from backend.settings import load_settings
    from trainer.datasets.progress import PreparingBars

    request = FramesRequest(tuple(films_of(films, films_in)), out, every, height)
    with PreparingBars() as bars:

        def begin(name: str, at: int, of: int) -> PreparingBars:
            bars.step(name, at, of)
            return bars

        made = write_stills(request, load_settings().home, begin)
    count = f"{made.films:,} film{'' if made.films == 1 else 's'}"
    for why in made.unread:
        _leave_out(why)
    stills = f"{made.stills:,} still{'' if made.stills == 1 else 's'}"
    sys.stdout.write(f"{stills} of {count}, {made.written:,} of them new → {out}\n")


@framing_app.command("label")
def framing_label(
    folder: Stills,
    labels: Labels = None,
    model: Model = None,
    port: Annotated[int, typer.Option(min=0, max=65535, metavar="PORT", help="Port on this machine; 0: any.")] = 0,
) -> None:
    """Label stills by keys on a page of this machine; first those that the model, else the face-size rule, likes."""
    from backend.settings import load_settings
    from labeling.framing.desk import Desk
    from labeling.framing.serving import listening, serve
    from trainer.datasets.progress import PreparingBars

    # The port first: that it is taken is known before minutes of work.
    with listening(port) as place:
        extractors, judge = _extractors(load_settings()), _judge(model)
        with PreparingBars() as bars:
            told = lambda done, total: bars.step("features of stills", done - 1, total)  # noqa: E731  a callback
            desk = Desk(folder, labels or folder / "labels.csv", extractors, judge, told)
        serve(desk, place, _tell)


@framing_app.command("train")
def framing_train(
    folder: Stills,
    out: Annotated[Path, typer.Option(metavar="DIR", help="Where models, metrics.json and report.html go.")],
    labels: Labels = None,
    drop_negatives: Annotated[
        float, typer.Option(metavar="SHARE", help="Leave out this share of the negatives, of what is learnt from.")
    ] = 0.0,
    tune: Annotated[bool, typer.Option("--tune", help="Search for a better CNN, too: many times the work.")] = False,
    augment: Annotated[bool, typer.Option("--augment", help="Mirror half of the pictures (not by default).")] = False,
    seed: Annotated[int, typer.Option(min=0, max=2**32 - 1, metavar="N", help="The same gives the same.")] = 0,
    as_json: options.AsJson = False,
) -> None:
    """Learn medium close-ups from labelled stills; say how well, by film, on films that were not watched."""
    from backend.settings import load_settings
    from trainer.datasets.progress import PreparingBars
    from trainer.framing.material import read_material
    from trainer.framing.page import render
    from trainer.framing.report import figures, require_place, write
    from trainer.framing.train import Asked, train

    asked = Asked(drop_negatives, tune, augment, seed)
    extractors = _extractors(load_settings())
    with PreparingBars() as bars:
        told = lambda done, total: bars.step("features of stills", done - 1, total)  # noqa: E731  a callback
        require_place(out)
        material = read_material(folder, labels or folder / "labels.csv", extractors, told)
        trained = train(material, asked, bars.step)
        found = figures(material, asked, trained)
        text = json.dumps(found, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n"
        write(out, trained, text.encode(), render(material, trained, found))
    if as_json:
        sys.stdout.write(text)
    else:
        from trainer.framing.printed import lines

        sys.stdout.write("\n".join([*lines(found), f"→ {out}"]) + "\n")


@framing_app.command("scenes")
def framing_scenes(
    films: Films,
    model: Model = None,
    profile: options.Profile = "embedded",
    as_json: options.AsJson = False,
) -> None:
    """Find dialogue scenes of two characters: medium close-ups of one and the other by turns, with speech."""
    from backend.analysis.conversations import conversations
    from backend.analysis.stills import each_readable, films_of
    from backend.library.places import films_in
    from backend.settings import load_settings
    from backend.terminal import TerminalProgress

    settings, judge, found = load_settings(), _judge(model), list["Found"]()

    def look(film: Path) -> "Found":
        with TerminalProgress() as progress:
            return conversations(film, settings, profile, judge, progress)

    for each in each_readable(list(films_of(films, films_in)), look, _leave_out):
        found.append(each)
        if not as_json:
            _show_scenes(each)
    if as_json:
        sys.stdout.write(json.dumps([each.to_json() for each in found], indent=2, allow_nan=False) + "\n")


def _tell(link: str) -> None:
    sys.stdout.write(f"{link}\nCtrl-C ends it; every label is saved at once.\n")
    sys.stdout.flush()


def _leave_out(why: str) -> None:
    sys.stderr.write(f"selects: {why} It is left out.\n")
    sys.stderr.flush()


def _show_scenes(found: "Found") -> None:
    from backend.clock import clock

    scenes = found.scenes
    sys.stdout.write(f"{found.film.name}: {len(scenes)} dialogue scene{'' if len(scenes) == 1 else 's'}\n")
    for scene in scenes:
        at = f"{clock(scene.start_s):>8} – {clock(scene.end_s):<8} shots {scene.first_shot + 1} – {scene.end_shot}"
        sys.stdout.write(f"{at}, {scene.turns} turns, speech {scene.speech:.0%}\n")


def _extractors(settings: "Settings") -> "dict[str, Extractor]":
    from backend.analysis.still_features import EXTRACTORS
    from backend.features.registry import build

    made = build("embedded", cache=settings.home / "networks", offline=settings.models.offline)
    return {name: made[name] for name in EXTRACTORS}


def _judge(folder: Path | None) -> "Judge | None":
    from backend.features.framing.judge import load_judge

    return None if folder is None else load_judge(folder)
