"""The house itself: pins, imports, the scripts. The set-up of `.venv` is run for real, on a package of ten lines."""

import ast
import importlib.metadata
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("backend", "labeling", "trainer")
HEAVY = {
    "av",
    "cv2",
    "librosa",
    "numba",
    "onnxruntime",
    "pandas",
    "pyarrow",
    "scenedetect",
    "scipy",
    "sklearn",
    "torch",
    "transformers",
}


def pins(name: str) -> dict[str, str]:
    """Distribution → version of a requirements file."""
    return dict(line.split("==") for line in (ROOT / name).read_text().splitlines())


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt", "requirements-tools.txt"])
def test_requirements_are_flat_pins(name: str) -> None:
    lines = (ROOT / name).read_text().splitlines()
    assert lines
    assert [line for line in lines if not re.fullmatch(r"[A-Za-z0-9][\w.-]*==[\w.]+", line)] == []
    assert len({canonical(pin) for pin in pins(name)}) == len(lines)


def test_every_requirement_of_a_pin_is_pinned() -> None:
    from packaging.requirements import Requirement

    pinned = {canonical(name) for file in ("requirements.txt", "requirements-dev.txt") for name in pins(file)}
    for name in sorted(pinned):
        for text in importlib.metadata.requires(name) or ():
            wanted = Requirement(text)
            if wanted.marker is None or wanted.marker.evaluate({"extra": ""}):
                assert canonical(wanted.name) in pinned or sys.version_info >= (3, 13), f"{name} wants {wanted.name}"


def imported_modules() -> dict[str, str]:
    """Top-level module → the first file that imports it anywhere, at module level or inside a function."""
    found: dict[str, str] = {}
    for file in sorted(file for package in PACKAGES for file in (ROOT / package).rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Import):
                modules = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                modules = [node.module or ""]
            else:
                continue
            for module in modules:
                found.setdefault(module.partition(".")[0], str(file.relative_to(ROOT)))
    return found


def test_what_is_imported_is_pinned() -> None:
    files = {file for name in pins("requirements.txt") for file in importlib.metadata.files(name) or ()}
    brought = {file.parts[0].partition(".")[0] for file in files}
    for module, file in imported_modules().items():
        if module not in sys.stdlib_module_names and module not in PACKAGES:
            assert module in brought, f"{file} imports {module}, which no pin brings"


def test_no_index_address_or_path_of_a_machine_is_committed() -> None:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode or not listed.stdout:
        pytest.skip("not a git checkout, or nothing is committed yet")
    address = re.compile(r"https?://\S*(pypi|pythonhosted|pytorch\.org/whl)|/(opt/(wheels|pypi)|root|tmp/w|work)/")
    for name in listed.stdout.rstrip("\0").split("\0"):
        file = ROOT / name
        if (
            file.suffix in {".py", ".md", ".toml", ".txt", ".yml", ".yaml", ".json", ".ini", ".html", ".js", ""}
            and file.is_file()
        ):
            assert address.search(file.read_text(errors="replace")) is None, name


@pytest.mark.parametrize(
    "module", ["backend.cli", "backend.media", "backend.features", "backend.scoring", "labeling", "trainer"]
)
def test_importing_loads_nothing_heavy(module: str) -> None:
    code = f"import sys, {module}; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert HEAVY & set(loaded.split()) == set()


# --- scripts/selects, on a checkout that needs nothing from a network

BACKEND = """
import base64, hashlib, zipfile
def get_requires_for_build_editable(config_settings=None): return []
def build_editable(folder, config_settings=None, metadata_directory=None):
    info = "selects-0.1.0.dist-info"
    name = "selects-0.1.0-py3-none-any.whl"
    with zipfile.ZipFile(f"{folder}/{name}", "w") as wheel:
        wheel.writestr("tiny_selects.py", "import sys\\ndef main(): print(sys.argv[1:])\\n")
        wheel.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\\nName: selects\\nVersion: 0.1.0\\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        wheel.writestr(f"{info}/entry_points.txt", "[console_scripts]\\nselects = tiny_selects:main\\n")
        wheel.writestr(f"{info}/RECORD", "")
    return name
"""


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The scripts of this checkout around a project of ten lines that pip can install without any index."""
    root = tmp_path_factory.mktemp("a check out") / "main"
    shutil.copytree(ROOT / "scripts", root / "scripts")
    (root / "scripts" / "lib" / "warm.py").write_text("print('warmed')\n")
    (root / "requirements.txt").write_text("")
    (root / "requirements-dev.txt").write_text("")
    (root / "requirements-tools.txt").write_text("")
    (root / "tiny.py").write_text(BACKEND)
    (root / "pyproject.toml").write_text(
        '[build-system]\nrequires = []\nbuild-backend = "tiny"\nbackend-path = ["."]\n'
    )
    return root


def selects(root: Path, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run the script with pip settings that lead nowhere, from another folder."""
    environment = {**os.environ, "PIP_NO_INDEX": "1", "PIP_CONFIG_FILE": os.devnull, "PIP_FIND_LINKS": "", **settings}
    command = [str(root / "scripts" / "selects"), *arguments]
    return subprocess.run(command, cwd=root.parent, env=environment, capture_output=True, text=True, check=False)


def wait_for(happened: Callable[[], bool], limit_s: float = 300) -> None:
    until = time.monotonic() + limit_s
    while not happened():
        assert time.monotonic() < until, "it did not happen"
        time.sleep(0.02)


def tools(folder: Path, **stubs: str) -> str:
    """A PATH with the few programs the scripts use and `stubs` (name → shell code), but no Python."""
    folder.mkdir()
    for name in ("cmp", "dirname", "readlink", "sh"):
        (folder / name).symlink_to(str(shutil.which(name)))
    for name, code in stubs.items():
        (folder / name).write_text(f"#!/bin/sh\n{code}\n")
        (folder / name).chmod(0o755)
    return str(folder)


def test_a_missing_venv_module_is_named(checkout: Path, tmp_path: Path) -> None:
    without_venv = 'case "$*" in *ensurepip*) exit 1 ;; esac'
    refused = selects(checkout, "--help", PATH=tools(tmp_path / "bin", python3=without_venv))
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "apt install python3-venv" in refused.stderr
    assert len(refused.stderr.splitlines()) == 1


def test_the_python_versions_that_work_are_named(checkout: Path, tmp_path: Path) -> None:
    refused = selects(checkout, "--help", PATH=tools(tmp_path / "bin", python3="exit 1"))
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "3.11, 3.12 or 3.13" in refused.stderr


def test_set_up_from_first_call_to_new_pins(checkout: Path, tmp_path: Path) -> None:
    """One story on one environment, since making it takes seconds."""
    venv = checkout / ".venv"

    # A first call that is killed half way leaves something, but nothing that passes for an environment.
    settings = {**os.environ, "PIP_NO_INDEX": "1"}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    script = str(checkout / "scripts" / "selects")
    with subprocess.Popen([script], env=settings, start_new_session=True, **pipes) as killed:
        wait_for((venv / "bin" / "python").exists)
        os.killpg(killed.pid, signal.SIGKILL)
    (venv / "left over").touch()

    # Two first calls at once: one makes the environment anew, the other waits for it; both then run.
    calls = [subprocess.Popen([script, word], env=settings, **pipes) for word in ("one", "two")]
    told = [call.communicate(timeout=600) for call in calls]
    assert [out for out, _ in told] == ["['one']\n", "['two']\n"], told
    assert sorted("downloading" in err for _, err in told) == [False, True]
    assert sum("waiting" in err for _, err in told) == 1
    assert not (venv / "left over").exists()

    # A later call needs no Python on PATH, no network, says nothing of its own, and works through a link from anywhere.
    link = tmp_path / "a link"
    link.symlink_to(checkout / "scripts" / "selects")
    path = tools(tmp_path / "bin")
    later = subprocess.run(
        [link, "a b", "", "-x"], cwd=tmp_path, env={"PATH": path}, capture_output=True, text=True, check=True
    )
    assert (later.stdout, later.stderr) == ("['a b', '', '-x']\n", "")

    # Pins that cannot be had: one sentence with the log, and with the pins of before all is well again.
    (checkout / "requirements.txt").write_text("nosuchpackage==1.0\n")
    failed = selects(checkout)
    assert (failed.returncode, failed.stdout) == (1, "")
    assert "nosuchpackage==1.0" in failed.stderr
    assert str(venv / "setup.log") in failed.stderr
    assert "Traceback" not in failed.stderr
    (checkout / "requirements.txt").write_text("")
    assert selects(checkout, "again").stderr == ""

    # Changed pins: installed again, with one line that says so.
    (checkout / "requirements.txt").write_text("\n")
    renewed = selects(checkout, "new")
    assert (renewed.returncode, renewed.stdout) == (0, "['new']\n")
    assert len(renewed.stderr.splitlines()) == 1
    assert "pins have changed" in renewed.stderr

    # A checkout that was moved is linked again.
    moved = checkout.with_name("moved")
    checkout.rename(moved)
    assert selects(moved, "here").stdout == "['here']\n"
    assert str(checkout) not in (moved / ".venv" / "bin" / "selects").read_text()


def test_where_nobody_watches_a_line_comes_now_and_then(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "scripts", tmp_path / "scripts")
    (tmp_path / ".venv").mkdir()
    words = tmp_path / "told"
    # It works until two lines say how far it is, however slow the machine.
    told = f"open({str(words)!r}).read().count('(half)')"
    work = f"import time; print('half', flush=True)\nwhile {told} < 2: time.sleep(0.05)"
    code = f"import os, sys, setup; setup.TELL_EVERY_S = 0.2; setup.run('working', [sys.executable, '-c', {work!r}], 1)"
    began = time.monotonic()
    with words.open("w") as errors:
        command = [sys.executable, "-c", code]
        done = subprocess.run(
            command, cwd=tmp_path / "scripts" / "lib", stdout=subprocess.PIPE, stderr=errors, text=True, check=True
        )
    lines = words.read_text().splitlines()
    assert 2 <= len(lines) <= (time.monotonic() - began) / 0.2
    assert re.fullmatch(r"selects: working, \d+ s so far \(half\)\.", lines[-1])
    assert done.stdout == ""


def test_a_folder_that_is_no_environment_is_left_alone(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "scripts", tmp_path / "scripts")
    for name in ("requirements.txt", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path / name)
    (tmp_path / ".venv").mkdir()
    (tmp_path / ".venv" / "mine.txt").write_text("keep")
    refused = selects(tmp_path)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "no virtual environment" in refused.stderr
    assert (tmp_path / ".venv" / "mine.txt").read_text() == "keep"
