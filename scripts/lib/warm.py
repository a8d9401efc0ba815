"""Does once, at set-up, what would otherwise make the first film slow; run by the Python of `.venv`.

librosa's functions are compiled by numba at their first call and kept beside librosa; networks that run faster in
another form are converted by `backend.features.setup`. Figures: docs/decisions/0001-first-run.md.
"""

import compileall
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def warm_sound() -> None:
    """Analyse ten seconds of noise, as the sound of a film is: the same functions, for the same types."""
    import numpy as np

    from backend.media.audio import RATE_HZ, analyse_sound

    noise = np.random.default_rng(0).standard_normal(10 * RATE_HZ).astype(np.float32)
    analyse_sound(iter([noise * np.float32(0.1)]))


def warm_networks() -> None:
    """Write the embedded networks in the form that runs fastest into this installation."""
    from backend.features.setup import warm

    warm()


def main() -> None:
    """Warm everything there is."""
    for package in ("backend", "labeling", "trainer"):
        compileall.compile_dir(ROOT / package, quiet=1)
    warm_sound()
    warm_networks()


if __name__ == "__main__":
    main()
