"""The whole of `selects find` against the bare decode of the film: CPU, wall and memory, alternated in one run.

    scripts/bench find FILM [--rounds 3] [--long 12]

Each round runs `ffmpeg -i FILM -f null -`, then `find`, then `find --fast`, each `find` in an empty SELECTS_HOME and
everything it needs included: process start, imports, loading of models. A ratio is of one round; medians are given.
`--long N` joins the film N times besides and prints the peak of memory and how time grows.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
from _cost import Cost, cost

LIMITS = {"find": (1.6, 1.5), "find --fast": (1.3, 1.3)}
LIMIT_MEMORY_GIB = 1.5


def run(args: list[str]) -> dict[str, Any]:
    """Measure and return the figures, with `lines` to print."""
    asked = argparse.ArgumentParser(prog="bench find")
    asked.add_argument("film", type=Path)
    asked.add_argument("--rounds", type=int, default=3)
    asked.add_argument("--long", type=int, default=0, metavar="N")
    options = asked.parse_args(args)
    rounds = [one_round(options.film) for _ in range(options.rounds)]
    lines = [f"film          {options.film.name}, {options.rounds} rounds on {os.cpu_count()} cores"]
    bare = [costs["ffmpeg"] for costs in rounds]
    lines.append(
        f"bare decode   CPU {median(c.cpu_s for c in bare):6.1f} s   wall {median(c.wall_s for c in bare):6.1f} s"
    )
    measured: dict[str, Any] = {"film": options.film.name, "rounds": options.rounds, "lines": lines}
    for name, (cpu_limit, wall_limit) in LIMITS.items():
        cpu = median(costs[name].cpu_s / costs["ffmpeg"].cpu_s for costs in rounds)
        wall = median(costs[name].wall_s / costs["ffmpeg"].wall_s for costs in rounds)
        peak = max(costs[name].peak_gib for costs in rounds)
        measured[name] = {
            "cpu_ratio": cpu,
            "wall_ratio": wall,
            "peak_gib": peak,
            "ok": cpu <= cpu_limit and wall <= wall_limit,
        }
        lines.append(
            f"{name:<13} CPU {cpu:5.2f} x (limit {cpu_limit})   "
            f"wall {wall:5.2f} x (limit {wall_limit})   peak {peak:.2f} GiB"
        )
    if options.long:
        measured["long"] = long_film(options.film, options.long, lines)
    return measured


def one_round(film: Path) -> dict[str, Cost]:
    """The three commands, one after another."""
    import imageio_ffmpeg

    ffmpeg = imageio_ffmpeg.get_ffmpeg_exe()
    return {
        "ffmpeg": cost([ffmpeg, "-v", "error", "-i", str(film), "-f", "null", "-"]),
        "find": find(film),
        "find --fast": find(film, "--fast"),
    }


def find(film: Path, *options: str) -> Cost:
    """`selects find FILM` as a user runs it, with nothing in the cache."""
    with tempfile.TemporaryDirectory() as home:
        command = [str(Path(sys.executable).parent / "selects"), "find", str(film), "--json", *options]
        return cost(command, SELECTS_HOME=home)


def long_film(film: Path, copies: int, lines: list[str]) -> dict[str, Any]:
    """The film joined `copies` times without re-encoding: peak memory, and CPU per copy beside one copy's."""
    import imageio_ffmpeg

    with tempfile.TemporaryDirectory() as folder:
        joined = Path(folder) / f"joined{film.suffix}"
        loop = ["-stream_loop", str(copies - 1), "-i", str(film), "-c", "copy", str(joined)]
        subprocess.run([imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", *loop], check=True)
        one, many = find(film), find(joined)
    growth = many.cpu_s / (copies * one.cpu_s)
    lines.append(
        f"x {copies:<11} CPU {many.cpu_s:.0f} s, {growth:.2f} of {copies} times one (1 is linear)   "
        f"wall {many.wall_s:.0f} s   peak {many.peak_gib:.2f} GiB (limit {LIMIT_MEMORY_GIB})"
    )
    ok = many.peak_gib <= LIMIT_MEMORY_GIB and growth <= 1.1
    return {"copies": copies, "cpu_s": many.cpu_s, "growth": growth, "peak_gib": many.peak_gib, "ok": ok}
