"""Where weights come from: SELECTS_HOME, caches of others (read only), the network; and nothing kept anywhere else."""

import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from backend.errors import MissingWeights
from backend.features.base import ShotMaterial
from backend.features.models import list_models
from backend.features.registry import EXTRACTORS
from backend.features.weights import from_url
from tests import checkpoints

ROOT = Path(__file__).resolve().parent.parent
FULL = ("videomae", "openclip", "facenet")
AWAY = ("HF_HOME", "HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "XDG_CACHE_HOME", "TORCH_HOME")


def python(code: str, *arguments: str | Path, home: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run code in a process of its own, whose user has an empty home folder."""
    home.mkdir(exist_ok=True)
    own = {name: value for name, value in os.environ.items() if name not in AWAY}
    return subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        cwd=ROOT,
        env={**own, "HOME": str(home), **environment},
        capture_output=True,
        text=True,
        check=True,
    )


class Hub(BaseHTTPRequestHandler):
    """Serves the files of one folder as a model hub does: /OWNER/NAME/resolve/main/FILE, and any other path plainly."""

    folder: Path
    lost_bytes = 0

    def do_GET(self) -> None:
        path = self.folder / self.path.rsplit("/", 1)[-1]
        data = path.read_bytes() if path.is_file() else b""
        self.send_response(200 if path.is_file() else 404)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data[: len(data) - self.lost_bytes])

    def log_message(self, *_: object) -> None:
        return


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """A hub's address and the folder that it serves."""
    folder = tmp_path / "served"
    folder.mkdir()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Served", (Hub,), {"folder": folder}))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", folder
    server.shutdown()
    server.server_close()


@pytest.fixture
def silent() -> Iterator[tuple[str, list[object]]]:
    """An address where whoever comes is turned away, and who came."""
    came: list[object] = []
    with socket.create_server(("127.0.0.1", 0)) as door:

        def refuse() -> None:
            with suppress(OSError):
                while True:
                    visitor, whence = door.accept()
                    came.append(whence)
                    visitor.close()

        threading.Thread(target=refuse, daemon=True).start()
        yield f"http://127.0.0.1:{door.getsockname()[1]}", came
        door.shutdown(socket.SHUT_RDWR)


@pytest.mark.parametrize("name", FULL)
@pytest.mark.parametrize("offline", [True, False])
def test_no_hub_is_an_error_and_it_is_asked_once(
    name: str, offline: bool, silent: tuple[str, list[object]], tmp_path: Path
) -> None:
    """With empty caches and nobody who answers where the hub or its proxy would be."""
    code = (
        "import sys\n"
        "from pathlib import Path\n"
        "from backend.errors import MissingWeights\n"
        "from backend.features.registry import EXTRACTORS\n"
        "try:\n"
        f"    EXTRACTORS[{name!r}](offline={offline}, cache=Path(sys.argv[1])).load()\n"
        "except MissingWeights as missing:\n"
        "    print(missing.detail, 'torch' in sys.modules)\n"
    )
    nobody, came = silent
    done = python(
        *(code, tmp_path / "networks"),
        home=tmp_path / "away",
        HF_ENDPOINT=nobody,
        https_proxy=nobody,
        http_proxy=nobody,
        no_proxy="",
    )
    assert len(came) == (0 if offline else 1), "it is not tried again and again"
    assert done.stderr == ""
    assert done.stdout.strip().endswith("False"), "found out before torch is imported"
    assert "SELECTS_MODELS__PATHS" in done.stdout
    assert len(done.stdout.strip().splitlines()) == 1


LOAD = (
    "import sys, numpy as np\n"
    "from pathlib import Path\n"
    "from backend.errors import MissingWeights\n"
    "from backend.features.base import ShotMaterial\n"
    "from backend.features.registry import EXTRACTORS\n"
    "maker = EXTRACTORS[sys.argv[1]](offline=sys.argv[2] == 'offline', cache=Path(sys.argv[3]))\n"
    "try:\n"
    "    maker.load()\n"
    "    print(maker.extract([ShotMaterial(0, 1, clip=np.zeros((16, 72, 128, 3), np.uint8))]).vectors.sum())\n"
    "except MissingWeights as refused:\n"
    "    print(refused.detail)\n"
)


@pytest.mark.parametrize("name", ["videomae", "openclip"])
def test_weights_come_from_a_hub_once_and_are_kept_with_us(name: str, hub: tuple[str, Path], tmp_path: Path) -> None:
    """The second process may not ask. openclip's small weights then fail strictly, as they should."""
    address, folder = hub
    {"videomae": checkpoints.save_videomae, "openclip": checkpoints.save_openclip}[name](folder)
    kept, away = tmp_path / "networks", tmp_path / "away"
    online = python(LOAD, name, "online", kept, home=away, HF_ENDPOINT=address, no_proxy="*")
    offline = python(LOAD, name, "offline", kept, home=away, HF_ENDPOINT="http://127.0.0.1:9", no_proxy="*")
    assert online.stdout == offline.stdout
    # One line says that a large file is on its way; nothing else does, not even the libraries.
    assert [line.split()[0] for line in online.stderr.splitlines()] == ["Downloading"] * (name == "videomae")
    assert offline.stderr == ""
    if name == "videomae":
        assert np.isfinite(float(online.stdout))
    else:
        assert "another network" in online.stdout
    assert list(away.rglob("*")) == [], "something was kept outside our folder"
    assert {row.name: row.here for row in list_models(cache=kept)}[name]


def test_a_scale_published_with_the_weights_comes_along(
    hub: tuple[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from huggingface_hub import constants

    address, folder = hub
    monkeypatch.setattr(constants, "ENDPOINT", address)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache of others"))
    monkeypatch.setenv("no_proxy", "*")
    checkpoints.save_videomae(folder)
    made = []
    for scale in (0.5, 0.25):
        (folder / "preprocessor_config.json").write_text(json.dumps({"image_std": [scale] * 3}))
        kept = tmp_path / str(scale)
        network = EXTRACTORS["videomae"](offline=False, cache=kept)
        network.load()
        made.append(network.extract([ShotMaterial(0, 1, clip=np.zeros((16, 72, 128, 3), np.uint8))]).vectors.sum())
        assert [file.name for file in kept.glob("*/pre*")] == ["preprocessor_config.json"]
    assert np.isfinite(made).all()
    assert made[0] != made[1]


def test_weights_in_the_cache_of_other_programs_are_used(tmp_path: Path) -> None:
    snapshot = tmp_path / "hub" / "models--MCG-NJU--videomae-base"
    checkpoints.save_videomae(snapshot / "snapshots" / ("0" * 40))
    (snapshot / "refs").mkdir()
    (snapshot / "refs" / "main").write_text("0" * 40)
    kept = tmp_path / "networks"
    done = python(LOAD, "videomae", "offline", kept, home=tmp_path / "away", HF_HUB_CACHE=str(tmp_path / "hub"))
    assert np.isfinite(float(done.stdout))
    assert not kept.exists()


def test_a_file_comes_from_an_address_once(hub: tuple[str, Path], tmp_path: Path) -> None:
    address, folder = hub
    (folder / "weights.pt").write_bytes(b"tensors")
    kept = tmp_path / "kept"
    for offline in (False, True):
        path = from_url("facenet", "a network", f"{address}/v1/weights.pt", cache=kept, offline=offline)
        assert path.read_bytes() == b"tensors"
    with pytest.raises(MissingWeights, match="HTTPError"):
        from_url("facenet", "a network", f"{address}/v1/other.pt", cache=kept, offline=False)
    assert [file.name for file in kept.iterdir()] == ["weights.pt"]


def test_half_a_file_is_none(hub: tuple[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    address, folder = hub
    (folder / "weights.pt").write_bytes(bytes(100_000))
    monkeypatch.setattr(Hub, "lost_bytes", 10)
    with pytest.raises(MissingWeights, match="cannot be reached"):
        from_url("facenet", "a network", f"{address}/v1/weights.pt", cache=tmp_path / "kept", offline=False)
    assert list((tmp_path / "kept").iterdir()) == []
