"""The options of `selects find`: what each is called, takes and says in the help."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Picture(StrEnum):
    """The picture's shape in cut clips."""

    original = "original"
    reels = "reels"
    square = "square"


Film = Annotated[Path | None, typer.Argument(help="The film file. Leave it out with --sample.")]
TopN = Annotated[int, typer.Option(min=1, max=1000, metavar="N", help="How many clips at most.")]
MinDuration = Annotated[float | None, typer.Option(metavar="SECONDS", help="Shortest clip (default 60).")]
MaxDuration = Annotated[float | None, typer.Option(metavar="SECONDS", help="Longest clip (default 120).")]
WeightViral = Annotated[
    float | None, typer.Option(metavar="W", help="Weight of the viral score, 0 to 1; the other one follows.")
]
WeightCompelling = Annotated[float | None, typer.Option(metavar="W", help="Weight of the compelling score, 0 to 1.")]
Content = Annotated[
    str | None,
    typer.Option(
        "--for",
        metavar="TYPE",
        help="Weights, length and format for reels, shorts, tiktok, trailer, tv-spot, festival or educational.",
    ),
]
Genre = Annotated[
    str | None,
    typer.Option(metavar="G", help="Weights for action, drama, comedy, horror, romance, thriller or sci-fi."),
]
SkipLast = Annotated[
    float, typer.Option(help="Leave out the end of the film, so that it stays secret.", metavar="PERCENT")
]
Format = Annotated[
    Picture | None, typer.Option("--format", help="Picture of cut clips: as it is (default), 9:16, or 1:1.")
]
Output = Annotated[
    Path | None, typer.Option(metavar="DIR", help="Cut the clips into this folder, with a report.html beside them.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]
Csv = Annotated[Path | None, typer.Option(metavar="FILE", help="Write the list of clips to this CSV file.")]
Profile = Annotated[str, typer.Option(metavar="NAME", help="embedded (works offline) or full (larger models).")]
Fast = Annotated[bool, typer.Option("--fast", help="Decode only what can hold a cut: less work, nearly the same cuts.")]
Detector = Annotated[
    str, typer.Option(metavar="NAME", help="How cuts are found: adaptive, content or transnet (slow).")
]
Model = Annotated[
    Path | None, typer.Option(metavar="DIR", help="Folder of a trained model; without it a prior scores.")
]
Sample = Annotated[bool, typer.Option("--sample", help="No film at hand: make a short synthetic one and use that.")]
