"""Containers killed one after the other while a film is analysed; what is there in the end must be whole."""

import time
from collections.abc import Callable
from pathlib import Path

from stack import Stack, require, until

FILM, SHORT = "big_buck_bunny_360p.mp4", "big_buck_bunny_trailer_360p.webm"
ELSEWHERE_S, BACK_S, DONE_S = 30, 60, 900


def check(stack: Stack, data: Path, tell: Callable[[str], None], *, quick: bool) -> None:
    """Kill the worker that has the film, the vector server, the database and the API; the film is done all the same."""
    stack.up(workers=2)
    before = _counts(stack)
    job = stack.upload(data / "films" / FILM)
    _elsewhere(stack, job, tell)
    for service in ("chroma", "postgres", "api"):
        _wait_for_work(stack, job)
        _kill(stack, service)
        took = _bring_back(stack, service)
        tell(f"{service} killed in the middle of {_stage(stack, job)}, started again: ready after {took:.1f} s")
    stack.done([job], DONE_S)
    if not quick:
        _dies_by_itself(stack, tell)
    after = _counts(stack)
    require(after["movie"] == before["movie"] + 1, f"{after['movie'] - before['movie']} films instead of one")
    require(after["decision"] == before["decision"], "decisions were lost or made twice")
    twice = stack.rows("select movie_id, number, count(*) from shot group by 1, 2 having count(*) > 1")
    require(not twice, f"shots twice: {twice[:3]}")
    twice = stack.rows(
        f"select stage, count(*) from jobstage where job_id = '{job}' group by stage having count(*) > 1"
    )
    require(not twice, f"stages twice: {twice}")
    tell(f"the film is whole: {stack.inside('api', 'selects', 'doctor')}")


def _elsewhere(stack: Stack, job: str, tell: Callable[[str], None]) -> None:
    """Kill the container that has the job; another has it soon."""
    first = until(lambda: _holder(stack, job) if _stage(stack, job) == "scan" else None, 120, "the film is scanned")
    (victim,) = [each for each in stack.containers("worker") if first.startswith(each[:12])]
    began = time.monotonic()
    stack.run("docker", "kill", victim)
    stage = _stage(stack, job)

    def moved() -> str | None:
        holder = _holder(stack, job)
        return holder if holder not in ("", first) else None

    until(moved, ELSEWHERE_S, "the film goes on with another worker")
    tell(f"worker killed in the middle of {stage}: its film goes on elsewhere after {time.monotonic() - began:.1f} s")
    stack.compose("up", "--detach", "--no-recreate", "--scale", "worker=2", "worker")


def _dies_by_itself(stack: Stack, tell: Callable[[str], None]) -> None:
    """A process that dies inside takes its container along, which the restart policy brings back."""
    for service in ("api", "trainer"):
        (container,) = stack.containers(service)
        before, began = _enrolled(stack, container), time.monotonic()
        # The first process is docker's init; its child is ours.
        stack.inside(
            service,
            "python",
            "-c",
            "import os, signal; os.kill(int(open('/proc/1/task/1/children').read().split()[0]), 9)",
            check=False,
        )
        until(lambda c=container: _restarted(stack, c), BACK_S, f"{service} is started again")
        if before:  # for five seconds its health is that of the row of the process that died
            until(lambda c=container, b=before: (_enrolled(stack, c) - b) or None, BACK_S, f"{service} enrols again")
        until(stack.ready, BACK_S, "the service is ready again")
        tell(f"{service} died by itself and was back after {time.monotonic() - began:.1f} s")


def _enrolled(stack: Stack, container: str) -> set[str]:
    """The names that processes of a container have enrolled under."""
    return {name for (name,) in stack.rows(f"select name from worker where host = '{container[:12]}'")}


def _restarted(stack: Stack, container: str) -> bool | None:
    shape = "{{.RestartCount}} {{.State.Running}} {{.State.Health.Status}}"
    return True if stack.run("docker", "inspect", "-f", shape, container).stdout.strip() == "1 true healthy" else None


def _kill(stack: Stack, service: str) -> None:
    (container,) = stack.containers(service)
    stack.run("docker", "kill", container)


def _bring_back(stack: Stack, service: str) -> float:
    began = time.monotonic()
    stack.compose("up", "--wait", "--no-recreate", "--no-deps", service)
    until(stack.ready, BACK_S, f"{service} is back")
    return time.monotonic() - began


def _wait_for_work(stack: Stack, job: str) -> None:
    until(lambda: True if _holder(stack, job) else None, 60, "somebody works on the film")


def _holder(stack: Stack, job: str) -> str:
    """The worker that has the job and lives, as the database knows it."""
    both = "job join worker on worker.name = job.worker"
    found = stack.rows(f"select worker.name from {both} where id = '{job}' and job.state = 'running'")
    return found[0][0] if found else ""


def _stage(stack: Stack, job: str) -> str:
    return str(stack.get(f"/api/jobs/{job}")["stage"])


def _counts(stack: Stack) -> dict[str, int]:
    return {name: int(stack.rows(f"select count(*) from {name}")[0][0]) for name in ("movie", "decision", "job")}
