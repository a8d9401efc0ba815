"""OpenCLIP: the true formats, strict loading, vectors of pictures and words equal to open_clip's own."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from backend.errors import MissingWeights
from backend.features.base import ShotMaterial
from backend.features.openclip import OpenClip
from tests import checkpoints
from tests.material import smooth_picture as image


@pytest.mark.parametrize("kind", ["safetensors", "pt"])
def test_openclip_equals_open_clip(tmp_path: Path, kind: str) -> None:
    maker = OpenClip(weights=checkpoints.save_openclip(tmp_path, kind))
    maker.load()
    images = (image(1), image(2))
    found = maker.extract([ShotMaterial(0, 1, images, (0, 1))]).vectors[0]

    network = checkpoints.openclip_network()
    import torch
    from open_clip import image_transform
    from PIL import Image

    prepare = image_transform(224, is_train=False)
    with torch.inference_mode():
        pixels = torch.stack([prepare(Image.fromarray(one)) for one in images])
        units = torch.nn.functional.normalize(network.encode_image(pixels), dim=1)
        expected = torch.nn.functional.normalize(units.mean(dim=0), dim=0).numpy()
    np.testing.assert_allclose(found, expected, atol=1e-5)
    assert np.linalg.norm(found) == pytest.approx(1, abs=1e-5)


def test_openclip_words_equal_open_clip(tmp_path: Path) -> None:
    maker = OpenClip(weights=checkpoints.save_openclip(tmp_path))
    texts = [f"a rabbit in meadow {k}" for k in range(20)]
    found = maker.text_vectors(texts)

    network = checkpoints.openclip_network()
    import torch
    from open_clip import get_tokenizer

    with torch.inference_mode():
        expected = network.encode_text(get_tokenizer("ViT-B-32")(texts), normalize=True).numpy()
    assert found.shape == (20, 512)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, atol=1e-5)
    assert maker.text_vectors([]).shape == (0, 512)


def test_openclip_is_loaded_by_one_of_many_threads(tmp_path: Path) -> None:
    loaded: list[int] = []

    class Counted(OpenClip):
        def load(self) -> None:
            loaded.append(1)
            super().load()

    maker = Counted(weights=checkpoints.save_openclip(tmp_path))
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(maker.text_vectors, [["a rabbit"]] * 4))
    assert len(loaded) == 1
    assert all(np.array_equal(one, found[0]) for one in found)


def test_openclip_without_a_config_is_vit_b_32(tmp_path: Path) -> None:
    """The small weights do not fit the real architecture, and the error says so."""
    path = checkpoints.save_openclip(tmp_path, "pt")
    (tmp_path / "open_clip_config.json").unlink()
    with pytest.raises(MissingWeights, match="another network"):
        OpenClip(weights=path).load()


def test_openclip_of_another_size_is_refused(tmp_path: Path) -> None:
    folder = checkpoints.save_openclip(tmp_path)
    config = {"model_cfg": {**checkpoints.OPENCLIP_CONFIG, "embed_dim": 640}}
    (folder / "open_clip_config.json").write_text(json.dumps(config))
    with pytest.raises(MissingWeights, match="640"):
        OpenClip(weights=folder).load()


def test_openclip_with_another_tokenizer_is_refused(tmp_path: Path) -> None:
    """Its words would be cut up wrongly, and no shot found, without a sign of it."""
    folder = checkpoints.save_openclip(tmp_path)
    text = {**checkpoints.OPENCLIP_CONFIG["text_cfg"], "hf_tokenizer_name": "roberta-base"}
    (folder / "open_clip_config.json").write_text(
        json.dumps({"model_cfg": {**checkpoints.OPENCLIP_CONFIG, "text_cfg": text}})
    )
    with pytest.raises(MissingWeights, match="tokenizer"):
        OpenClip(weights=folder).load()


def test_openclip_loads_strictly(tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    folder = checkpoints.save_openclip(tmp_path)
    path = folder / "open_clip_model.safetensors"
    state = load_file(path)
    state.pop("visual.proj")
    save_file(state, path)
    with pytest.raises(MissingWeights, match=r"visual\.proj"):
        OpenClip(weights=folder).load()
