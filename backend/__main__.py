"""The `selects` process: what ends it, and with which exit code.

Next to nothing is imported before Ctrl-C is taken care of: until then Python answers it with a traceback.
"""

import os
import signal
import sys

from backend.stopping import say, stop_signals


class Interrupted(BaseException):
    """We are asked to stop. Not a KeyboardInterrupt, which Typer would turn into exit code 1."""


def main() -> None:
    """Run the command line: exit code 0 done, 2 wrong input or call, 130 interrupted."""
    try:
        for stop in stop_signals():
            signal.signal(stop, _interrupt)
        _open_what_is_closed()
        code = _run()
    except Interrupted:
        say("interrupted; what is finished is kept, and the next run goes on from there.")
        code = 130
    sys.exit(code)


def _open_what_is_closed() -> None:
    """Give those of the three standard streams that we were started without (`>&-`) to nobody.

    Python has None there, and the next file that is opened would become what others write to.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)
    sys.stdin = sys.stdin or os.fdopen(0)
    sys.stdout = sys.stdout or os.fdopen(1, "w")
    sys.stderr = sys.stderr or os.fdopen(2, "w")


def _interrupt(number: int, _frame: object) -> None:
    signal.signal(number, signal.SIG_IGN)
    raise Interrupted


def _run() -> int:
    import io

    from backend.errors import SelectsError

    for stream in (sys.stdout, sys.stderr):
        # Names of files need not be text; in JSON this escape is the right one.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        return _command()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 0
    except SelectsError as error:
        say(str(error))
        return error.exit_code
    except BrokenPipeError:
        # Whoever read our output has gone; Python must not complain about it when it flushes at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""
        say(f"{error.strerror or error}{where}.")
        return 2
    except Exception as error:
        if not (problem := _of_database(error)):
            raise
        say(f"The database says: {problem}.")
        return 2


def _of_database(error: Exception) -> str:
    """What a database says that has gone, is full, or is none; empty for any other error."""
    known = sys.modules.get("sqlalchemy.exc")  # which takes long to import, so only where something has
    if known and (isinstance(error, known.OperationalError) or type(error) is known.DatabaseError):
        return str(getattr(error, "orig", error)).strip().splitlines()[0].rstrip(".")
    return ""


def _command() -> int:
    import typer

    from backend.cli import app

    try:
        return app(prog_name="selects", standalone_mode=False) or 0
    except typer.TyperException as error:
        message = error.format_message()
        if "\n" in message:  # the help, where no command was named
            sys.stderr.write(f"{message}\n")
        else:
            say(f"{message.rstrip('.')}; see --help.")
        return int(error.exit_code)


if __name__ == "__main__":
    main()
