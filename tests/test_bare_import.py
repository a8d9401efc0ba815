"""The model code must import and run where only torch, numpy, pyarrow and safetensors are installed."""

import importlib.util
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ALLOWED = ("torch", "numpy", "pyarrow", "safetensors")
MODULES = (
    "backend.scoring.mlp",
    "backend.scoring.network",
    "backend.scoring.windows",
    "backend.features.schema",
    "trainer",
    "trainer.snapshot",
    "trainer.versions.making",
    "trainer.heads.making",
    "trainer.predicting",
)

# An import hook that knows only the standard library, our packages and what the four distributions bring along.
SCRIPT = """
import sys
allowed, root, modules = eval(sys.argv[1]), sys.argv[2], sys.argv[3:]

class OnlyThese:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] not in allowed and not name.startswith("_sysconfigdata"):  # named by the platform
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return None

sys.path.insert(0, root)
sys.meta_path.insert(0, OnlyThese())
import importlib
for name in modules:
    importlib.import_module(name)
"""
RUN = """
import numpy as np, torch, pyarrow, safetensors.torch
from pathlib import Path
from backend.features.schema import Block, FeatureSchema
from backend.scoring.mlp import build, load_model, save_model
schema = FeatureSchema("bare", 1, (Block("visual", 6, "none"),))
tensors = {name: value.numpy() for name, value in build(6, (4, 3)).state_dict().items()}
model = load_model(save_model(Path("model"), tensors, schema, "v1", {}))
assert model.probabilities(np.ones((2, 6))).shape == (2,)
"""


def plain(name: str) -> str:
    return name.lower().replace("_", "-")


def needed(names: tuple[str, ...]) -> set[str]:
    """Top-level modules of these distributions and of all that they require here."""
    from packaging.requirements import Requirement

    seen: set[str] = set()
    left = [plain(name) for name in names]
    while left:
        name = left.pop()
        if name in seen:
            continue
        seen.add(name)
        try:
            wanted = metadata.requires(name) or []
        except metadata.PackageNotFoundError:
            continue
        for line in wanted:
            requirement = Requirement(line)
            if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
                left.append(plain(requirement.name))
    owners = metadata.packages_distributions()
    return {module for module, owner in owners.items() if {plain(name) for name in owner} & seen}


def bare(code: str, modules: tuple[str, ...], folder: Path) -> subprocess.CompletedProcess[str]:
    allowed = needed(ALLOWED) | set(sys.stdlib_module_names) | {"backend", "trainer"}
    command = [sys.executable, "-I", "-c", SCRIPT + code, repr(sorted(allowed)), str(ROOT), *modules]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False)


def test_model_code_runs_with_four_packages(tmp_path):
    there = tuple(name for name in MODULES if importlib.util.find_spec(name))
    assert "backend.scoring.mlp" in there
    done = bare(RUN, there, tmp_path)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("package", ["sklearn", "av", "pydantic", "timm"])
def test_the_bare_environment_is_bare(package, tmp_path):
    done = bare("", (package,), tmp_path)
    assert done.returncode != 0
    assert "No module named" in done.stderr


def test_ranking_needs_no_torch():
    code = "import sys; import backend.scoring.rank, backend.scoring.mlp; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0
