"""The trainer's command line: parses, calls one function, says what came of it."""

import argparse
import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from backend.errors import InputError, SelectsError

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}")


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one sentence."""

    def error(self, message: str) -> NoReturn:
        raise InputError(f"{message[:1].upper()}{message[1:]}; see python -m trainer --help.")


def run(arguments: Sequence[str]) -> int:
    """Exit code of a call."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    try:
        asked = _parser().parse_args(arguments)
        return _fit(asked) if asked.command == "fit" else _predict(asked)
    except SelectsError as error:
        sys.stderr.write(f"trainer: {' '.join(str(error).split())}\n")
        return error.exit_code
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except MemoryError:
        sys.stderr.write("trainer: There is not enough memory for this snapshot.\n")
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="python -m trainer", description="Learn from a snapshot of labels, or apply what was learnt.")
    commands = parser.add_subparsers(dest="command", required=True, parser_class=_Parser, metavar="fit | predict")
    fit = commands.add_parser("fit", help="train on a snapshot and say how good it is")
    fit.add_argument("snapshot", type=Path, help="folder with windows.parquet and manifest.json")
    fit.add_argument("out", type=Path, help="folder to write model.safetensors, card.json and metrics.json to")
    fit.add_argument("--seed", type=int, default=0, help="0 to 4294967295; the same seed gives the same model")
    fit.add_argument("--device", default="auto", choices=("auto", "cpu", "cuda"))
    fit.add_argument("--champion", type=Path, help="folder of the model that it has to beat")
    fit.add_argument(
        "--slot",
        default="compelling",
        help="compelling, compelling/GENRE, viral; metric/scene or metric/character: learns from corrections",
    )
    fit.add_argument("--propose", default="better", choices=("better", "mlp", "linear"), help="which kind to propose")
    fit.add_argument("--version", default="", help="name of the version (default: made of what is in it)")
    fit.add_argument("--progress", action="store_true", help="a line of JSON a step on standard output")
    predict = commands.add_parser("predict", help="write window_id,probability for every window of a snapshot")
    predict.add_argument("model", type=Path, help="folder that fit wrote")
    predict.add_argument("snapshot", type=Path)
    predict.add_argument("out", type=Path, help="CSV file to write")
    return parser


def _fit(asked: argparse.Namespace) -> int:
    if not 0 <= asked.seed < 2**32:
        raise InputError("The seed must be a number from 0 to 4294967295.")
    if asked.version and not NAME.fullmatch(asked.version):
        raise InputError("The name of a version consists of letters, digits, dots, dashes and underscores.")
    from backend.clusters.head import is_metric
    from trainer.fit import Asked
    from trainer.heads.making import fit_metric
    from trainer.versions.making import fit

    wanted = Asked(asked.slot, asked.seed, asked.device, asked.propose, asked.version)
    learn = fit_metric if is_metric(asked.slot) else fit
    card = learn(asked.snapshot, asked.out, wanted, asked.champion, _say if asked.progress else None)
    if not asked.progress:
        _say(f"{card['version']}: {card['summary']}")
        gate = card["gate"]
        _say("The gate lets it pass." if gate["passed"] else "The gate refuses it: " + " ".join(gate["reasons"]))
    return 0


def _predict(asked: argparse.Namespace) -> int:
    from trainer.predicting import predict

    count = predict(asked.model, asked.snapshot, asked.out)
    _say(f"{count} windows written to {asked.out}.")
    return 0


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
