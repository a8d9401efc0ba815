"""The commands of the service: `selects up`, and its parts one by one."""

import signal
import sys
from pathlib import Path
from typing import Annotated

import typer

from backend.errors import InputError

INTERRUPTED = 130

service_app = typer.Typer()

Host = Annotated[str | None, typer.Option(metavar="ADDRESS", help="Where to listen (default: this machine only).")]
Port = Annotated[int | None, typer.Option(min=1, max=65535, metavar="PORT", help="Port (default 8600).")]


def exit_code(asked: signal.Signals) -> int:
    """130 after Ctrl-C, 0 where a service manager asked for the end."""
    return INTERRUPTED if asked == signal.SIGINT else 0


@service_app.command()
def up(
    host: Host = None,
    port: Port = None,
    workers: Annotated[int, typer.Option(min=1, max=64, metavar="N", help="How many films at a time.")] = 1,
) -> None:
    """Run everything on this machine: API, pages, workers and vectors. Prints the link to open."""
    from backend.logs import set_up_logs
    from backend.settings import load_settings
    from backend.up import up as run

    set_up_logs("up")
    raise typer.Exit(exit_code(run(load_settings().listening(host, port), workers)))


@service_app.command()
def serve(host: Host = None, port: Port = None) -> None:
    """Run API and pages alone."""
    from backend.loading import loading

    with loading():
        from backend.logs import set_up_logs
        from backend.serving import serve as run
        from backend.settings import load_settings

    set_up_logs("server")
    raise typer.Exit(exit_code(run(load_settings().listening(host, port))))


@service_app.command()
def worker(
    queues: Annotated[str, typer.Option(metavar="NAMES", help="Which queues to serve: cpu, gpu, or both.")] = "cpu,gpu",
) -> None:
    """Run a worker: it analyses films until it is stopped."""
    from backend.loading import loading

    with loading():
        from backend.logs import set_up_logs
        from backend.settings import load_settings
        from backend.worker import run_worker

    set_up_logs("worker")
    run_worker(load_settings(), [name.strip() for name in queues.split(",") if name.strip()])


@service_app.command()
def migrate() -> None:
    """Bring the database to the newest version; `selects up` does so by itself."""
    from backend.parts import prepare
    from backend.resources import Resources
    from backend.settings import load_settings

    resources = Resources(load_settings())
    prepare(resources)
    sys.stderr.write(f"The database {resources.engine.url.render_as_string()} is up to date.\n")
    resources.close()


@service_app.command()
def ingest(
    paths: Annotated[list[Path], typer.Argument(metavar="FILM... | DIR", help="Films, or folders of films.")],
) -> None:
    """Take films into the library and analyse them; with a bar for each. They are read where they lie."""
    from backend.ingesting import ingest as run
    from backend.opened import resources_opened
    from backend.terminal_jobs import JobBars

    with resources_opened() as resources, JobBars() as bars:
        ended = run(resources, paths, "command line", bars)
    failed = [job for job in ended if job.state != "done"]
    if failed:
        raise InputError(f"{len(failed)} of {len(ended)} films could not be taken in; the lines above say why.")
