"""`selects search` and `selects doctor`, from the machine that holds the library."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

search_app = typer.Typer()


@search_app.command()
def search(
    words: Annotated[str | None, typer.Argument(metavar="TEXT", help="What is said or shown.")] = None,
    image: Annotated[Path | None, typer.Option(metavar="FILE", help="A picture that shots should look like.")] = None,
    like: Annotated[
        str | None, typer.Option(metavar="MOVIE:SHOT", help="A shot that others should look like, by numbers.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, metavar="N", help="How many shots at most.")] = 10,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")] = False,
) -> None:
    """Find shots of the library by words, by a picture, or by another shot; in all projects."""
    from backend.opened import library_opened
    from backend.search.asking import ask, parse

    question = parse(words, image, like)
    with library_opened() as resources:
        found = ask(resources, question, limit)
    if as_json:
        sys.stdout.write(f"{found.model_dump_json(indent=2)}\n")
        return
    from backend.search.printed import show

    show(found)


@search_app.command()
def doctor(
    context: typer.Context,
    mend: Annotated[
        bool, typer.Option("--repair", help="Put right what can be: the index is made anew from the feature files.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")] = False,
) -> None:
    """Compare rows, feature files and vectors, all of them, and say what is off. Exit code 1 if anything is."""
    from backend.opened import library_opened
    from backend.search.doctor import examine
    from backend.search.repair import repair

    besides = context.obj or ()
    with library_opened() as resources:
        report = examine(resources, _tell, besides)
        done, report = repair(resources, report, _tell, besides) if mend and report.problems else ([], report)
    if as_json:
        said = report.to_json() | {"repaired": [vars(problem) for problem in done]}
        sys.stdout.write(json.dumps(said, indent=2, ensure_ascii=False) + "\n")
    else:
        lines = [f"put right: {problem.detail}" for problem in done] + [problem.detail for problem in report.problems]
        compared = f"{report.films} films, {report.rows} rows and {report.vectors} vectors were compared"
        off = f"{len(report.problems)} {'thing is' if len(report.problems) == 1 else 'things are'} off"
        verdict = off if report.problems else "they agree"
        hint = "" if mend or not report.problems else "; `selects doctor --repair` puts right what it can"
        sys.stdout.write("\n".join([*lines, f"{compared}: {verdict}{hint}."]) + "\n")
    if report.problems:
        raise typer.Exit(1)


def _tell(stage: str, done: float, total: float) -> None:
    if sys.stderr.isatty():
        end = "\n" if done >= total else "\r"
        sys.stderr.write(f"{stage:<14} {done:.0f} of {total:.0f}{end}")
