"""Trained versions as the trainer leaves them: real networks with random weights. That they are good is not claimed."""

from pathlib import Path
from typing import Any

import numpy as np
import torch

from backend.features.registry import profile_named
from backend.features.schema import FeatureSchema
from backend.scoring.golden import save_golden
from backend.scoring.mlp import load_model, make_model, save_model
from backend.scoring.models import ModelVersion
from backend.scoring.network import build
from tests.service import Service
from trainer.registry import register

SCHEMA = profile_named("embedded").schema
LOUD = 3.0
"""Random weights say "one half" of everything; these say something."""


def save_trained(
    folder: Path,
    version: str,
    seed: int,
    *,
    slot: str = "compelling",
    hidden: tuple[int, int] = (16, 8),
    schema: FeatureSchema = SCHEMA,
    **card: Any,
) -> Path:
    """A folder with model, card and golden vectors; another seed, another model."""
    torch.manual_seed(seed)
    made = build(schema.dimension, hidden).eval()
    tensors = {name: value.detach().numpy() for name, value in made.state_dict().items()}
    tensors["output.weight"] = tensors["output.weight"] * LOUD
    own = {"slot": slot, "replaces": slot.partition("/")[0], "kind": "mlp", **card}
    vectors = np.random.default_rng(seed).standard_normal((16, schema.dimension)).astype(np.float32)
    model = make_model(tensors, own | {"version": version, "schema": schema.to_json()})
    golden = save_golden(folder, model, vectors)
    return save_model(folder, tensors, schema, version, own | {"golden_sha256": golden})


def enter(service: Service, project: int, version: str, seed: int, **more: Any) -> ModelVersion:
    """A version of a project, entered."""
    home = service.resources.home
    folder = save_trained(home / "fitted" / version, version, seed, **more)
    with service.session() as session:
        row = register(session, home, project, folder, None, "test")
        session.expunge(row)
        return row


def stored(service: Service, version: str) -> Path:
    """Where a version's files lie."""
    folder = service.resources.home / "models" / version
    load_model(folder)
    return folder
