"""How fast a trailer is aligned with its film, the film's own scan being there: seconds of trailer per second.

Decoding the trailer counts, reading what is stored of the film is shown apart. Big Buck Bunny and its official trailer.
"""

import argparse
import os
import tempfile
import time
from pathlib import Path
from typing import Any

from labeling.references.align import align
from labeling.references.watching import watch

LIMIT = 20


def run(args: list[str]) -> dict[str, Any]:
    """Time one trailer, decoded anew each time, and return the figures, with `lines` to print."""
    asked = argparse.ArgumentParser(prog="bench references")
    asked.add_argument("--repeat", type=int, default=5)
    options = asked.parse_args(args)
    root = Path(__file__).resolve().parents[2]
    films = Path(os.environ.get("SELECTS_TEST_DATA", root.parent / "shared")) / "films"
    path, promo = films / "big_buck_bunny_360p.mp4", films / "big_buck_bunny_trailer_360p.webm"
    runs = []
    with tempfile.TemporaryDirectory() as home:
        watch(path, Path(home))
        for _ in range(options.repeat):
            began = time.perf_counter()
            film = watch(path, Path(home))
            stored, stored_cpu = time.perf_counter(), time.process_time()
            with tempfile.TemporaryDirectory() as fresh:
                trailer = watch(promo, Path(fresh))
            decoded = time.perf_counter()
            segments = align(film, trailer)
            cpu_s = time.process_time() - stored_cpu
            runs.append((time.perf_counter() - stored, decoded - stored, stored - began, cpu_s))
    total_s, decode_s, stored_s, cpu_s = sorted(runs)[len(runs) // 2]
    length_s = trailer.timeline.duration_s
    return {
        "trailer_s": length_s,
        "segments": len(segments),
        "median_s": total_s,
        "decode_s": decode_s,
        "stored_s": stored_s,
        "cpu_s": cpu_s,
        "times_real_time": length_s / total_s,
        "limit": LIMIT,
        "ok": length_s / total_s >= LIMIT,
        "lines": [
            f"trailer  {length_s:.1f} s, {len(segments)} segments found in a film of {film.timeline.duration_s:.0f} s",
            f"align    median of {options.repeat}: {total_s:.2f} s, of which decoding the trailer {decode_s:.2f} s",
            f"speed    {length_s / total_s:.0f} x the trailer's length (limit {LIMIT} x)",
            f"CPU      {cpu_s:.2f} s on {os.cpu_count()} cores (load {os.getloadavg()[0]:.1f})",
            f"film     what is stored of it: {stored_s:.2f} s",
        ],
    }
