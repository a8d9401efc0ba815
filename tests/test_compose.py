"""The image and the stack as they are written: read, not run. scripts/test-containers runs them."""

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parent.parent
FILES = ("docker-compose.yml", "docker/proxy/compose.yml")
HADOLINT = ROOT / ".venv" / "tools" / "bin" / "hadolint"
OURS = ("api", "worker", "trainer", "gpu-worker", "gpu-trainer")
RIGHTS = {"postgres": {"CHOWN", "DAC_OVERRIDE", "FOWNER", "SETGID", "SETUID"}}
SECRET = re.compile(r"\$\{(\w*(?:PASSWORD|SECRET|TOKEN|KEY)\w*)([^}]*)\}")


class Loader(yaml.SafeLoader):
    """Compose's own tags mean nothing to YAML."""


Loader.add_constructor("!reset", lambda loader, node: None)


def services(name: str = FILES[0]) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = yaml.load((ROOT / name).read_text(), Loader)["services"]
    return found


def everything() -> list[Any]:
    return [
        pytest.param(name, service, id=name)
        for file in FILES
        for name, service in services(file).items()
        if "image" in service
    ]


def test_only_the_api_has_a_port_and_on_this_machine_alone() -> None:
    assert {name: service["ports"] for name, service in services().items() if "ports" in service} == {
        "api": ["${API_BIND:-127.0.0.1}:${API_PORT:-8600}:8600"]
    }
    behind = services(FILES[1])
    assert "ports" in behind["api"]
    assert behind["api"]["ports"] is None


@pytest.mark.parametrize(("name", "service"), everything())
def test_every_container_is_locked(name: str, service: dict[str, Any]) -> None:
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert set(service.get("cap_add", ())) == RIGHTS.get(name, set())
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "privileged" not in service
    limits = service["deploy"]["resources"]["limits"]
    assert limits["memory"]
    assert limits["pids"]
    if name == "migrate":  # it ends
        assert service["restart"] == "no"
    else:
        assert service["restart"] == "unless-stopped"
        assert service["healthcheck"]["test"]


@pytest.mark.parametrize(("name", "service"), everything())
def test_every_image_has_one_version(name: str, service: dict[str, Any]) -> None:
    image, _, tag = service["image"].partition(":")
    assert tag not in ("", "latest"), name
    assert image != "selects" or service["build"]["dockerfile"] == "docker/Dockerfile"


def test_a_browser_keeps_to_one_of_several_servers() -> None:
    """A consistent hash knows servers by name: those that share one are served in turn, and pages are lost."""
    for file in sorted((ROOT / "docker" / "proxy").glob("*.conf")):
        (upstream,) = re.findall(r"upstream \w+ \{(.+?)\n    \}", file.read_text(), re.DOTALL)
        servers = re.findall(r"^\s*server (\S+?)[ ;]", upstream, re.MULTILINE)
        (how,) = re.findall(r"^\s*hash \$\w+(.*);", upstream, re.MULTILINE)
        assert (how.strip() == "consistent") == (len(set(servers)) > 1), file.name


def test_no_password_has_a_default() -> None:
    found = [match for file in FILES for match in SECRET.findall((ROOT / file).read_text())]
    assert len(found) == 2
    assert all(rest.startswith(":?") for _, rest in found)
    said = dict(
        line.split("=", 1) for line in (ROOT / ".env.example").read_text().splitlines() if re.match(r"\w", line)
    )
    assert said["POSTGRES_PASSWORD"] == ""


def test_rows_and_vectors_are_on_a_network_without_a_way_out() -> None:
    networks = yaml.load((ROOT / FILES[0]).read_text(), Loader)["networks"]
    assert networks["inner"] == {"internal": True}
    for name in ("postgres", "chroma", "migrate"):
        assert services()[name]["networks"] == ["inner"]


def test_the_gpu_profile_gives_worker_and_trainer_the_device() -> None:
    for name in ("gpu-worker", "gpu-trainer"):
        service = services()[name]
        (device,) = service["deploy"]["resources"]["reservations"]["devices"]
        assert (service["profiles"], device["driver"], device["capabilities"]) == (["gpu"], "nvidia", ["gpu"])
        assert service["build"]["args"]["TORCH"] == "cuda"
        assert service["command"] == services()[name.removeprefix("gpu-")]["command"]
    assert all("profiles" not in services()[name] for name in ("api", "worker", "trainer", "postgres", "chroma"))


def test_our_containers_wait_for_what_they_need_and_share_one_home() -> None:
    for name in OURS:
        service = services()[name]
        assert service["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}
        assert service["depends_on"]["chroma"] == {"condition": "service_healthy"}
        assert service["volumes"] == ["media:/data"]


def test_the_image_is_written_as_its_checker_wants_it() -> None:
    if not HADOLINT.exists():
        pytest.skip("hadolint is not installed; scripts/check --dev makes .venv/tools")
    said = subprocess.run([HADOLINT, "docker/Dockerfile"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (said.returncode, said.stdout) == (0, "")


def test_the_image_ends_without_rights_and_needs_no_other_builder() -> None:
    text = (ROOT / "docker" / "Dockerfile").read_text()
    assert "# syntax" not in text
    last = text[text.rindex("\nFROM ") :]
    assert re.findall(r"^USER (.+)$", last, re.MULTILINE) == ["10001:10001"]
    assert re.search(r"^HEALTHCHECK ", last, re.MULTILINE)
    assert not re.search(r"apt-get|gcc|pip install", last)


def test_what_the_image_copies_is_let_through() -> None:
    let = [line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    copied = [
        name
        for line in re.findall(r"^COPY (?!--from)(.+)$", (ROOT / "docker" / "Dockerfile").read_text(), re.MULTILINE)
        for name in line.split()[:-1]
    ]
    assert sorted(set(copied)) == sorted(let)
    assert all((ROOT / name).exists() for name in let)


@pytest.mark.parametrize("name", ["docker/entrypoint", "docker/install-torch", "docker/slim", "docker/selects"])
def test_what_the_image_runs_may_be_run(name: str) -> None:
    assert os.access(ROOT / name, os.X_OK)


@pytest.mark.parametrize("name", ["scripts/backup", "scripts/restore", "scripts/test-containers", "docker/slim"])
def test_shell_scripts_can_be_read_by_the_plainest_shell(name: str) -> None:
    shell = shutil.which("dash") or "sh"
    subprocess.run([shell, "-n", ROOT / name], check=True)
