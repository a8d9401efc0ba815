"""`selects`, the roof for a terminal: each command parses, calls one function, and shapes what comes back."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from backend import options
from backend.analysis.catalogue.commands import features_app
from backend.clusters.commands import clusters_app
from backend.commands import service_app
from backend.errors import InputError
from backend.members.commands import token_app
from backend.search.commands import search_app
from labeling.decisions.commands import decisions_app
from labeling.lists.commands import export_app, lists_app
from labeling.references.commands import reference_app
from trainer.commands import training_app
from trainer.datasets.commands import dataset_app
from trainer.framing.commands import framing_app
from trainer.proof.commands import ranking_app

if TYPE_CHECKING:
    from backend.analysis.find import FindRequest
    from backend.resources import Resources
    from backend.search.doctor import Problem

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False, rich_markup_mode=None)
evaluate_app = typer.Typer(
    no_args_is_help=True, help="How good it is: scenes of prepared films, ranking by curators' answers."
)
evaluate_app.add_typer(ranking_app)
app.add_typer(service_app)
app.add_typer(search_app)
app.add_typer(training_app)
app.add_typer(features_app, name="features")
app.add_typer(evaluate_app, name="evaluate")
app.add_typer(token_app, name="token")
app.add_typer(clusters_app, name="clusters")
app.add_typer(reference_app, name="reference")
app.add_typer(decisions_app, name="decisions")
app.add_typer(export_app)
app.add_typer(lists_app, name="lists")
app.add_typer(dataset_app, name="dataset")
app.add_typer(framing_app, name="framing")


@app.callback()
def selects(context: typer.Context) -> None:
    """Find the clips of a film that are worth keeping."""
    context.obj = (_lists_examined,)  # what the doctor looks at beside the index


def _lists_examined(resources: "Resources") -> "list[Problem]":
    from labeling.lists.doctor import examine

    return examine(resources)


@app.command()
def find(  # noqa: PLR0913  the options are the command
    film: options.Film = None,
    top_n: options.TopN = 5,
    min_duration: options.MinDuration = None,
    max_duration: options.MaxDuration = None,
    weight_viral: options.WeightViral = None,
    weight_compelling: options.WeightCompelling = None,
    content: options.Content = None,
    genre: options.Genre = None,
    skip_last: options.SkipLast = 0.0,
    picture: options.Format = None,
    output: options.Output = None,
    as_json: options.AsJson = False,
    csv: options.Csv = None,
    profile: options.Profile = "embedded",
    fast: options.Fast = False,
    detector: options.Detector = "adaptive",
    model: options.Model = None,
    sample: options.Sample = False,
) -> None:
    """Find the best clips of a film, say why, and cut them."""
    from backend.analysis.find import FindRequest
    from backend.scoring.ensemble import shape, weights
    from backend.settings import load_settings

    settings, shaped = load_settings(), shape(content, min_duration, max_duration, picture)
    request = FindRequest(
        film=_film(film, sample, settings.home),
        home=settings.home,
        top_n=top_n,
        min_s=shaped.min_s,
        max_s=shaped.max_s,
        weights=weights(weight_viral, weight_compelling, content, genre, settings.ranking.weights),
        skip_last_percent=skip_last,
        per_scene=settings.ranking.clips_per_scene,
        profile=profile,
        fast=fast,
        detector=detector,
        model=model,
        model_paths=settings.models.paths,
        offline=settings.models.offline,
    )
    _find(request, sample, shaped.format, output, csv, as_json)


def _film(film: Path | None, sample: bool, home: Path) -> Path:
    if sample and film:
        raise InputError("Give a film or --sample, not both.")
    if not sample and not film:
        raise InputError("Which film? Give its path, or --sample to have one made.")
    return film or home / "sample" / "selects_sample.mp4"


def _find(
    request: "FindRequest", sample: bool, picture: str, output: Path | None, csv: Path | None, as_json: bool
) -> None:
    from backend.analysis.cut import cut_clips, prepare_folder
    from backend.analysis.find import find as find_clips
    from backend.analysis.findings import to_json, write_csv
    from backend.files import require_writable
    from backend.terminal import TerminalProgress, show

    if output:
        prepare_folder(output, request.film)
    if csv:
        require_writable(csv, request.film)
    with TerminalProgress() as progress:
        if sample and not request.film.is_file():
            from backend.media.sample import make_sample

            make_sample(request.film, lambda share: progress("sample", share, 1))
        findings = find_clips(request, progress)
        files = cut_clips(findings, output, picture, progress) if output else {}
    if csv:
        write_csv(csv, findings, files)
    if as_json:
        _print_json(to_json(findings, files))
    else:
        show(findings, files)


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
