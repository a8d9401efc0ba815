"""`python -m trainer fit SNAPSHOT OUT` and `python -m trainer predict OUT SNAPSHOT PRED.csv`.

Needs torch, numpy, pyarrow and safetensors, nothing of the service. Exit codes: 0 done, 2 the input or the call is
wrong (one sentence on standard error), 130 interrupted.
"""

import os
import signal
import sys
from types import FrameType

INTERRUPTED = 130


def main() -> None:
    """Run the command line."""
    for stop in (signal.SIGINT, signal.SIGTERM):
        signal.signal(stop, _interrupt)
    # Sums depend on how many threads share them: one each, and several trainings side by side.
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = "1"
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    from trainer.command import run

    code = run(sys.argv[1:])
    sys.stdout.flush()
    sys.exit(code)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    # A model is written in one go at the very end, by files.py: until then nothing of it lies anywhere, and what is
    # being written is known as left over by its lock. So no thread needs to be waited for.
    sys.stderr.write("trainer: interrupted; nothing was written.\n")
    sys.stderr.flush()
    os._exit(INTERRUPTED)


if __name__ == "__main__":
    main()
