"""Films of two sorts put together, and what a curator says who likes one of them: real pictures, to learn from."""

import hashlib
import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

RATE = 24
LIKED_S, OTHER_S = 60, 55
WINDOW_S, STEP_S = 10, 3
WINDOWS = 14


@dataclass(frozen=True)
class Film:
    """A film file and its checksum."""

    file: Path
    sha256: str


def films(data: Path, folder: Path, count: int, first: int = 0) -> list[Film]:
    """`count` films, numbered from `first`: a minute of Big Buck Bunny, then people walking. No two are alike."""
    return [_film(data, folder / f"film-{number}.mp4", number) for number in range(first, first + count)]


def _film(data: Path, file: Path, number: int) -> Film:
    import imageio_ffmpeg

    drawn, walking = data / "films" / "big_buck_bunny_360p.mp4", data / "films" / "people_walking_432p.mp4"
    shape = f"fps={RATE},scale=640:360,setsar=1,format=yuv420p"
    graph = f"[0:v]{shape}[a];[1:v]{shape}[b];[a][b]concat=n=2:v=1:a=0[v];[0:a]apad[s]"
    cut = ["-ss", f"{20 + 43 * number % 500}", "-t", f"{LIKED_S}", "-i", str(drawn)]
    other = ["-ss", f"{7 * number % 80}", "-t", f"{OTHER_S}", "-i", str(walking)]
    how = ["-map", "[v]", "-map", "[s]", "-t", f"{LIKED_S + OTHER_S}", "-c:v", "libx264", "-preset", "ultrafast"]
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-y", *cut, *other, "-filter_complex", graph, *how]
    subprocess.run([*command, "-c:a", "aac", str(file)], check=True)
    return Film(file, hashlib.sha256(file.read_bytes()).hexdigest())


def decisions(films: list[Film]) -> str:
    """JSON lines of a curator who approves of what is drawn, and of nothing else, as if a random draw had asked."""
    return "".join(json.dumps(row) + "\n" for film in films for row in _judged(film))


def _judged(film: Film) -> Iterator[dict[str, object]]:
    for verdict, offset in (("approve", 0), ("reject", LIKED_S)):
        for number in range(WINDOWS):
            start = offset + STEP_S * number
            span = {"start_s": start, "end_s": start + WINDOW_S}
            yield {
                "key": f"{film.sha256[:12]}-{start}",
                "curator": "Ada",
                "verdict": verdict,
                "movie_sha256": film.sha256,
                "movie_title": film.file.stem,
                "start_frame": RATE * start,
                "end_frame": RATE * (start + WINDOW_S),
                "strategy": "random",
                "propensity": 0.5,
                "round": 1,
                "source": "manual",
                "decided_at": "2026-01-01T00:00:00+00:00",
                **span,
            }
