"""The Kubernetes manifests: valid by the published schemas, and locked down. No cluster is here: none of it was run."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.command import ROOT

MANIFESTS = ROOT / "docker" / "kubernetes"
VALIDATE = ROOT / ".venv" / "tools" / "bin" / "kubernetes-validate"
BUILDS = ("base", "overlays/gpu", "overlays/external")
Document = dict[str, Any]


def built(folder: Path, name: str) -> list[Document]:
    """What Kustomize makes of a folder, with secrets of the test."""
    kustomize = shutil.which("kustomize")
    command = [kustomize, "build"] if kustomize else ["kubectl", "kustomize"]
    if not kustomize and not shutil.which("kubectl"):
        pytest.skip("NO KUSTOMIZE: neither kubectl nor kustomize is installed; the files were validated one by one")
    shutil.copytree(MANIFESTS, folder / "kubernetes")
    example = (folder / "kubernetes" / "base" / "secrets.env.example").read_text()
    (folder / "kubernetes" / "base" / "secrets.env").write_text(example.replace("=\n", "=of-the-tests\n"))
    made = subprocess.run(
        [*command, str(folder / "kubernetes" / name)], capture_output=True, text=True, check=False, timeout=300
    )
    assert made.returncode == 0, made.stderr
    (folder / "all.yaml").write_text(made.stdout)
    return list(yaml.safe_load_all(made.stdout))


def written() -> list[Document]:
    """The resources as they are in the repository."""
    files = [path for path in MANIFESTS.rglob("*.yaml") if path.name != "kustomization.yaml"]
    return [document for path in sorted(files) for document in yaml.safe_load_all(path.read_text())]


def require_valid(file: Path) -> None:
    if not VALIDATE.is_file():
        pytest.skip(f"NO KUBERNETES-VALIDATE: {VALIDATE} is missing; scripts/check makes it")
    said = subprocess.run([VALIDATE, "--strict", file], capture_output=True, text=True, check=False, timeout=300)
    assert said.returncode == 0, said.stdout + said.stderr


def pods(documents: list[Document]) -> Iterator[tuple[str, Document]]:
    """The name and the specification of every kind of pod."""
    for each in documents:
        if each["kind"] in ("Deployment", "StatefulSet", "Job"):
            yield each["metadata"]["name"], each["spec"]["template"]["spec"]


def test_every_file_is_valid_by_itself(tmp_path: Path) -> None:
    (tmp_path / "all.yaml").write_text(yaml.safe_dump_all(written()))
    require_valid(tmp_path / "all.yaml")


@pytest.mark.parametrize("name", BUILDS)
def test_what_kustomize_makes_is_valid_and_whole(name: str, tmp_path: Path) -> None:
    documents = built(tmp_path, name)
    require_valid(tmp_path / "all.yaml")
    assert {each["metadata"].get("namespace", "selects") for each in documents} == {"selects"}
    made = {(each["kind"], each["metadata"]["name"]) for each in documents}
    own = {"Deployment": "api", "Job": "migrate", "Ingress": "selects", "PodDisruptionBudget": "api"}
    assert set(own.items()) <= made
    assert (("StatefulSet", "postgres") in made) == (name != "overlays/external")
    names = {kind: {found for known, found in made if known == kind} for kind in ("Secret", "ConfigMap")}
    for pod_name, pod in pods(documents):
        for container in pod["containers"]:
            for source in container.get("envFrom", ()):
                given = source.get("secretRef", source.get("configMapRef"))["name"]
                assert given in names["Secret"] | names["ConfigMap"], f"{pod_name} names {given}, which is not made"
    gpus = [
        pod_name for pod_name, pod in pods(documents) if "nvidia.com/gpu" in pod["containers"][0]["resources"]["limits"]
    ]
    assert sorted(gpus) == (["trainer", "worker"] if name == "overlays/gpu" else [])


def test_every_pod_is_locked_down() -> None:
    seen = dict(pods(written()))
    assert seen.keys() == {"api", "worker", "trainer", "migrate", "postgres", "chroma"}
    for name, pod in seen.items():
        assert pod["securityContext"]["runAsNonRoot"], name
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}, name
        assert pod["automountServiceAccountToken"] is False, name
        for container in pod["containers"]:
            context = container["securityContext"]
            assert context["readOnlyRootFilesystem"], name
            assert context["allowPrivilegeEscalation"] is False, name
            assert context["capabilities"] == {"drop": ["ALL"]}, name
            assert "memory" in container["resources"]["limits"], name


def test_only_the_api_can_be_reached_and_what_must_be_alone_is() -> None:
    documents = written()
    assert all(each["spec"].get("type", "ClusterIP") == "ClusterIP" for each in documents if each["kind"] == "Service")
    (ingress,) = [each for each in documents if each["kind"] == "Ingress"]
    assert ingress["spec"]["rules"][0]["http"]["paths"][0]["backend"]["service"]["name"] == "api"
    assert ingress["spec"]["tls"]
    policies = {each["metadata"]["name"]: each["spec"] for each in documents if each["kind"] == "NetworkPolicy"}
    assert policies["nobody"] == {"podSelector": {}, "policyTypes": ["Ingress"]}
    assert policies.keys() == {"nobody", "api", "postgres", "chroma"}
    replicas = {
        each["metadata"]["name"]: each["spec"]["replicas"] for each in documents if "replicas" in each.get("spec", {})
    }
    assert (replicas["chroma"], replicas["trainer"], replicas["api"] > 1) == (1, 1, True)


def test_no_secret_is_in_the_repository() -> None:
    example = (MANIFESTS / "base" / "secrets.env.example").read_text()
    assert all(line.startswith("#") or line.endswith("=") for line in example.splitlines())
    assert not [each for each in written() if each["kind"] == "Secret"]
    ignored = subprocess.run(
        ["git", "check-ignore", "docker/kubernetes/base/secrets.env"], cwd=ROOT, capture_output=True, check=False
    )
    assert ignored.returncode in (0, 128), "git would take secrets.env"  # 128: this is no repository
