"""Writers of one process take turns in the order in which they came."""

import threading
import time
from pathlib import Path

from sqlalchemy import text

from backend.database import make_engine


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
            time.sleep(0.05)
        with engine.begin() as connection:  # at once: the other had no time to wake up
            assert connection.execute(text("SELECT count(*) FROM t")).scalar_one() == number
        waiting.join()
    engine.dispose()
