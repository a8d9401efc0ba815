"""`selects`, the roof for a terminal: each command parses, calls one function, and shapes what comes back."""

import io
import json
import os
import signal
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from backend.errors import InputError, SelectsError

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False, rich_markup_mode=None)
features_app = typer.Typer(
    no_args_is_help=True, help="Which pretrained models there are, and whether their weights are here."
)
evaluate_app = typer.Typer(no_args_is_help=True, help="Run parts of the analysis on prepared data.")
app.add_typer(features_app, name="features")
app.add_typer(evaluate_app, name="evaluate")


@app.callback()
def selects() -> None:
    """Find the clips of a film that are worth keeping."""


class Picture(StrEnum):
    """The picture's shape in cut clips."""

    original = "original"
    reels = "reels"
    square = "square"


@app.command()
def find(  # noqa: PLR0913  the options are the command
    film: Annotated[Path | None, typer.Argument(help="The film file. Leave it out with --sample.")] = None,
    top_n: Annotated[int, typer.Option(min=1, max=1000, metavar="N", help="How many clips at most.")] = 5,
    min_duration: Annotated[float | None, typer.Option(metavar="SECONDS", help="Shortest clip (default 60).")] = None,
    max_duration: Annotated[float | None, typer.Option(metavar="SECONDS", help="Longest clip (default 120).")] = None,
    weight_viral: Annotated[
        float | None, typer.Option(metavar="W", help="Weight of the viral score, 0 to 1; the other one follows.")
    ] = None,
    weight_compelling: Annotated[
        float | None, typer.Option(metavar="W", help="Weight of the compelling score, 0 to 1.")
    ] = None,
    content: Annotated[
        str | None,
        typer.Option(
            "--for",
            metavar="TYPE",
            help="Weights, length and format for reels, shorts, tiktok, trailer, tv-spot, festival or educational.",
        ),
    ] = None,
    genre: Annotated[
        str | None,
        typer.Option(metavar="G", help="Weights for action, drama, comedy, horror, romance, thriller or sci-fi."),
    ] = None,
    skip_last: Annotated[
        float, typer.Option(help="Leave out the end of the film, so that it stays secret.", metavar="PERCENT")
    ] = 0.0,
    picture: Annotated[
        Picture | None,
        typer.Option("--format", help="Picture of cut clips: as it is (default), 9:16, or 1:1."),
    ] = None,
    output: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Cut the clips into this folder, with a report.html beside them.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")] = False,
    csv: Annotated[Path | None, typer.Option(metavar="FILE", help="Write the list of clips to this CSV file.")] = None,
    profile: Annotated[
        str, typer.Option(metavar="NAME", help="embedded (works offline) or full (larger models).")
    ] = "embedded",
    fast: Annotated[
        bool, typer.Option("--fast", help="Decode only what can hold a cut: less work, nearly the same cuts.")
    ] = False,
    detector: Annotated[
        str, typer.Option(metavar="NAME", help="How cuts are found: adaptive, content or transnet (slow).")
    ] = "adaptive",
    model: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Folder of a trained model; without it a prior scores.")
    ] = None,
    sample: Annotated[
        bool, typer.Option("--sample", help="No film at hand: make a short synthetic one and use that.")
    ] = False,
) -> None:
    """Find the best clips of a film, say why, and cut them."""
    from backend.analysis.cut import cut_clips, prepare_folder
    from backend.analysis.find import FindRequest
    from backend.analysis.find import find as find_clips
    from backend.analysis.findings import to_json, write_csv
    from backend.files import require_writable
    from backend.scoring.ensemble import shape, weights
    from backend.settings import load_settings
    from backend.terminal import TerminalProgress, show

    settings = load_settings()
    ranking = settings.ranking
    mix = weights(weight_viral, weight_compelling, content, genre, ranking.weights)
    limits = shape(content, min_duration, max_duration, picture.value if picture else None)
    if output:
        prepare_folder(output)
    if csv:
        require_writable(csv)
    with TerminalProgress() as progress:
        request = FindRequest(
            film=_film(film, sample, settings.home, progress),
            home=settings.home,
            top_n=top_n,
            min_s=limits.min_s,
            max_s=limits.max_s,
            weights=mix,
            skip_last_percent=skip_last,
            per_scene=ranking.clips_per_scene,
            profile=profile,
            fast=fast,
            detector=detector,
            model=model,
            model_paths=settings.models.paths,
            offline=settings.models.offline,
        )
        findings = find_clips(request, progress)
        files = cut_clips(findings, output, limits.format, progress) if output else {}
    if csv:
        write_csv(csv, findings, files)
    if as_json:
        _print_json(to_json(findings, files))
    else:
        show(findings, files)


def _film(film: Path | None, sample: bool, home: Path, progress: Any) -> Path:
    if sample and film:
        raise InputError("Give a film or --sample, not both.")
    if film:
        return film
    if not sample:
        raise InputError("Which film? Give its path, or --sample to have one made.")
    from backend.media.sample import make_sample

    made = home / "sample" / "selects_sample.mp4"
    if not made.is_file():
        made.parent.mkdir(parents=True, exist_ok=True)
        make_sample(made, lambda share: progress("sample", share, 1))
    return made


@features_app.command("models")
def features_models(as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """List every model: what it is for, its size, its licence, and whether its weights are here."""
    from backend.features.models import list_models
    from backend.settings import load_settings

    settings = load_settings()
    rows = list_models({name: str(path) for name, path in settings.models.paths.items()}, settings.home / "networks")
    if as_json:
        _print_json([row.to_json() for row in rows])
        return
    from backend.terminal import show_models

    show_models(rows)


@evaluate_app.command("scenes")
def evaluate_scenes(
    folder: Annotated[Path, typer.Argument(help="Folder of <film_id>.npz with shots and features.", metavar="DIR")],
    out: Annotated[Path, typer.Option(help="Where to write {film_id: [first shots of scenes]}.")],
) -> None:
    """Group the shots of prepared films into scenes, with the code that `find` uses."""
    from backend.analysis.evaluate import evaluate_scenes as evaluate

    predicted = evaluate(folder, out)
    scenes = sum(len(starts) for starts in predicted.values())
    sys.stderr.write(f"{len(predicted)} films, {scenes} scene starts → {out}\n")


def _print_json(value: object) -> None:
    plain = sys.stdout.encoding.lower() not in ("utf-8", "utf8")
    sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=plain, allow_nan=False) + "\n")


class Interrupted(BaseException):
    """Ctrl-C, or a polite kill. Not a KeyboardInterrupt, which Typer would turn into exit code 1."""


def main() -> NoReturn:
    """Run the command line: exit code 0 done, 2 wrong input or call, 130 interrupted."""
    for stop in (signal.SIGINT, signal.SIGTERM):
        signal.signal(stop, _interrupt)
    for stream in (sys.stdout, sys.stderr):
        # Names of files need not be text; in JSON this escape is the right one.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    code = 0
    try:
        code = app(standalone_mode=False) or 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 0
    except typer.TyperException as error:
        _say_wrong_call(error.format_message())
        code = error.exit_code
    except SelectsError as error:
        _say(str(error))
        code = error.exit_code
    except Interrupted:
        _say("interrupted; what is finished is kept, and the next run goes on from there.")
        code = 130
    except BrokenPipeError:
        # Whoever read our output has gone; Python must not complain about it when it flushes at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""
        _say(f"{error.strerror or error}{where}.")
        code = 2
    sys.exit(code)


def _interrupt(number: int, _frame: object) -> NoReturn:
    signal.signal(number, signal.SIG_IGN)
    raise Interrupted


def _say_wrong_call(message: str) -> None:
    if "\n" in message:  # the help, where no command was named
        sys.stderr.write(f"{message}\n")
    else:
        _say(f"{message.rstrip('.')}; see --help.")


def _say(sentence: str) -> None:
    sys.stderr.write(f"selects: {sentence}\n")
