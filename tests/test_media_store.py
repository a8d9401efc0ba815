"""SELECTS_HOME as a cache of a shared store: in a folder and in a real S3-compatible server."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from backend.errors import InputError
from backend.store import media
from backend.store.remote import Remote, StoreUnavailable
from backend.store.room import make_room
from tests.command import selects
from tests.stores import CREDENTIALS, Bucket, everything, serving

FILM = "f" * 64
GIB = 1 << 30


@pytest.fixture
def homes(tmp_path: Path, store_address: str) -> Iterator[tuple[Path, Path]]:
    """Two machines with one store."""
    both = tmp_path / "a", tmp_path / "b"
    for home in both:
        media.attach(home, store_address, 100)
    yield both
    for home in both:
        media.detach(home)


@pytest.fixture(scope="module")
def guarded() -> Iterator[Bucket]:
    """A server that knows nobody's key once its bucket is made, as S3 itself is to whoever has a wrong one."""
    with serving(INITIAL_NO_AUTH_ACTION_COUNT="1") as bucket:
        yield bucket


def write(path: Path, content: bytes = b"content") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def test_a_file_is_fetched_where_it_is_read(homes: tuple[Path, Path], store_address: str) -> None:
    here, other = homes
    name = f"uploads/{FILM}/film.mp4"
    media.publish(write(here / name, b"x" * 100_000))
    assert everything(store_address) == {name: 100_000}
    assert not (other / name).exists()
    assert media.there(other / name)
    assert media.size_of(other / name) == 100_000
    assert media.present(other / name).read_bytes() == b"x" * 100_000
    assert list((other / "uploads" / FILM).iterdir()) == [other / name]
    assert not media.present(other / f"uploads/{FILM}/none.mp4").exists()


def test_a_folder_is_one_object_and_comes_whole(homes: tuple[Path, Path], store_address: str) -> None:
    here, other = homes
    folder = here / "films" / FILM / "scan-v2-key"
    write(folder / "scan.json", b"{}")
    write(folder / "pictures" / "1.jpg", b"jpeg")
    write(here / "films" / FILM / ".selects-1.part", b"half")
    write(here / "films" / FILM / "sound.npz", b"sound")
    media.publish_all(here / "films" / FILM)
    assert sorted(everything(store_address)) == [f"films/{FILM}/scan-v2-key.tar", f"films/{FILM}/sound.npz"]
    fetched = media.present(other / "films" / FILM / "scan-v2-key", folder=True)
    assert (fetched / "pictures" / "1.jpg").read_bytes() == b"jpeg"
    assert media.listed(other / "films" / FILM).keys() == {"scan-v2-key", "sound.npz"}
    assert media.unpublished(here / "films" / FILM) == []


def test_what_goes_is_gone_everywhere_but_where_it_was_read(
    homes: tuple[Path, Path],
    store_address: str,
) -> None:
    here, other = homes
    for name in ("films/1/scan/scan.json", "films/1/sound.npz", "films/12/sound.npz"):
        write(here / name)
    media.publish_all(here / "films" / "1")
    media.publish_all(here / "films" / "12")
    media.remove(other / "films" / "1")
    assert everything(store_address) == {"films/12/sound.npz": 7}
    media.remove(other / "films" / "1")
    media.remove(here / "films" / "1")
    assert not (here / "films" / "1").exists()


def test_what_belongs_to_one_machine_stays_there(homes: tuple[Path, Path], store_address: str) -> None:
    here, _ = homes
    for name in ("checksums.json", "settings.toml", "vectors/x/1.npy", "references/checksums.json", "filmsy/1"):
        media.publish(write(here / name))
    assert everything(store_address) == {}


def test_a_poster_that_another_machine_has_changed(homes: tuple[Path, Path]) -> None:
    here, other = homes
    media.renew(write(here / "posters/1", b"first"))
    assert media.present(other / "posters/1", newest=True).read_bytes() == b"first"
    time.sleep(1.1)  # S3 counts seconds
    media.renew(write(other / "posters/1", b"other"))
    assert media.present(here / "posters/1", newest=True).read_bytes() == b"other"
    at = (here / "posters/1").stat().st_ino
    media.present(here / "posters/1", newest=True)
    assert (here / "posters/1").stat().st_ino == at, "it was fetched once more"


def test_a_path_of_another_machine(tmp_path: Path, store_address: str) -> None:
    home, name = tmp_path / "here", f"uploads/{FILM}/film.mp4"
    elsewhere = Path("/home/of/another") / name
    assert media.present(elsewhere) == elsewhere
    media.attach(home, store_address, 100)
    try:
        Remote(store_address).put(write(tmp_path / "film"), name)
        assert media.present(elsewhere) == home / name
        assert (home / name).read_bytes() == b"content"
        assert media.local(Path("/films/by/path.mp4")) == Path("/films/by/path.mp4")
    finally:
        media.detach(home)


def test_without_a_store_nothing_is_looked_for(tmp_path: Path) -> None:
    media.attach(tmp_path, "", 100)
    assert not media.has_store(tmp_path)
    path = write(tmp_path / "films/1/sound.npz")
    media.publish(path)
    assert media.present(path) == path
    assert media.present(tmp_path / "films/2", folder=True) == tmp_path / "films/2"
    media.remove(path.parent)
    assert not path.exists()


def test_room_is_made_of_what_was_of_no_use_for_longest(tmp_path: Path) -> None:
    ages = {"films/1/old": 9, "films/1/young": 2, "uploads/2/oldest.mp4": 12, "uploads/3/only-here.mp4": 20}
    for name, hours in ages.items():
        path = write(tmp_path / name, b"x" * 1000)
        os.utime(path, (time.time() - hours * 3600, time.time() - hours * 3600))
    folders, stored = ("films", "uploads"), lambda path: "only" not in path.name
    assert make_room(tmp_path, folders, 4000, stored) == []
    gone = make_room(tmp_path, folders, 2000, stored)
    assert [path.name for path in gone] == ["oldest.mp4", "old"]
    os.utime(tmp_path / "films/1/young")
    assert make_room(tmp_path, folders, 0, stored) == []


def test_errors_say_which_setting(s3: Bucket, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"SELECTS_MEDIA__STORE is s3://none/x, and there is no bucket 'none'"):
        Remote(s3.address("x", bucket="none")).require()
    with pytest.raises(InputError, match="SELECTS_MEDIA__STORE is /none/at/all, and there is no folder"):
        Remote("/none/at/all").require()
    with pytest.raises(InputError, match="SELECTS_MEDIA__STORE is s4://x, which is no folder and no s3:// address"):
        Remote("s4://x").require()
    with pytest.raises(StoreUnavailable, match="has no such bucket; make it, or name another in SELECTS_MEDIA__STORE"):
        Remote(s3.address("x", bucket="none")).put(write(tmp_path / "film"), "film")
    Remote(s3.address("not/yet/there")).require()


@pytest.mark.parametrize("part", ["worker", "serve"])
def test_wrong_credentials_are_said_at_the_start(guarded: Bucket, tmp_path: Path, part: str) -> None:
    home = tmp_path / "home"
    assert selects("migrate", home=home).returncode == 0
    said = selects(part, home=home, SELECTS_MEDIA__STORE=guarded.address("films"), **CREDENTIALS)
    assert said.returncode == 2
    assert "s3://media/films lets nobody in with these credentials; set AWS_ACCESS_KEY_ID and" in said.stderr
    assert "Traceback" not in said.stderr


def test_a_worker_says_at_its_start_that_the_store_is_not_there(tmp_path: Path) -> None:
    home = tmp_path / "home"
    assert selects("migrate", home=home).returncode == 0
    said = selects("worker", home=home, SELECTS_MEDIA__STORE=str(tmp_path / "not-mounted"))
    assert said.returncode == 2
    assert "SELECTS_MEDIA__STORE is" in said.stderr
