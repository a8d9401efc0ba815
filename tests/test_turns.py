"""Writers of one process take turns in the order in which they came."""

import sys
import threading
import time
from pathlib import Path

from sqlalchemy import text

from backend.database import make_engine
from tests.workers import wait_until


def waits(thread: threading.Thread) -> bool:
    """Whether it stands where a writer waits for its turn, and goes no further."""
    before = place(thread)
    time.sleep(0.02)
    return before is not None and before[0] == "_wait" and before == place(thread)


def place(thread: threading.Thread) -> tuple[str, int] | None:
    """The function in which a thread is, and where in it."""
    frame = sys._current_frames().get(thread.ident or 0)
    return (frame.f_code.co_name, frame.f_lasti) if frame else None


def test_who_waits_goes_before_who_comes_again(tmp_path: Path) -> None:
    engine = make_engine(f"sqlite:///{tmp_path / 'some.db'}")
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE t (a INTEGER)"))

    def write() -> None:
        with engine.begin() as connection:
            connection.execute(text("INSERT INTO t VALUES (1)"))

    for number in range(1, 6):
        with engine.begin():
            waiting = threading.Thread(target=write)
            waiting.start()
            wait_until(lambda: waits(waiting))  # noqa: B023  called at once
        with engine.begin() as connection:  # at once: the other had no time to wake up
            assert connection.execute(text("SELECT count(*) FROM t")).scalar_one() == number
        waiting.join()
    engine.dispose()
