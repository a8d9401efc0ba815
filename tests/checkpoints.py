"""Small checkpoints of the full profile's models in their true formats, random from a fixed seed."""

import json
from pathlib import Path
from typing import Any

OPENCLIP_CONFIG: dict[str, Any] = {
    "embed_dim": 512,
    "vision_cfg": {"image_size": 224, "layers": 2, "width": 64, "patch_size": 32, "head_width": 32},
    "text_cfg": {"context_length": 77, "vocab_size": 49408, "width": 32, "heads": 2, "layers": 1},
}
VIDEOMAE_CONFIG: dict[str, Any] = {
    "hidden_size": 768, "num_hidden_layers": 1, "num_attention_heads": 4, "intermediate_size": 64,
    "image_size": 64, "patch_size": 16, "num_frames": 16, "tubelet_size": 2,
}  # fmt: skip


def openclip_network() -> Any:
    """A CLIP of the small architecture, random."""
    from backend.features import torchvision_ops  # noqa: F401  (before open_clip)

    import open_clip  # isort: skip
    import torch  # isort: skip

    torch.manual_seed(1)
    return open_clip.CLIP(**OPENCLIP_CONFIG).eval()


def save_openclip(folder: Path, kind: str = "safetensors") -> Path:
    """A folder as open_clip publishes it: its config, and weights as .safetensors or as a training checkpoint .pt."""
    import torch
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    state = openclip_network().state_dict()
    (folder / "open_clip_config.json").write_text(json.dumps({"model_cfg": OPENCLIP_CONFIG}))
    if kind == "safetensors":
        save_file({name: value.contiguous() for name, value in state.items()}, folder / "open_clip_model.safetensors")
        return folder
    path = folder / "epoch_1.pt"
    torch.save({"epoch": 1, "state_dict": {f"module.{name}": value for name, value in state.items()}}, path)
    return path


def save_videomae(folder: Path, **changes: Any) -> Path:
    """A folder as transformers saves it: the pretraining network, decoder and all, as MCG-NJU/videomae-base is."""
    from backend.features import torchvision_ops  # noqa: F401  (before transformers)

    import torch  # isort: skip
    from transformers import VideoMAEConfig, VideoMAEForPreTraining  # isort: skip

    torch.manual_seed(2)
    config = VideoMAEConfig(**{**VIDEOMAE_CONFIG, "decoder_num_hidden_layers": 1, **changes})
    VideoMAEForPreTraining(config).save_pretrained(folder)
    return folder


def save_facenet(folder: Path) -> Path:
    """facenet-pytorch's published kind of file: a state dict, with the logits of the classes it was trained on."""
    from backend.features import torchvision_ops  # noqa: F401  (before facenet-pytorch)

    import torch  # isort: skip
    from facenet_pytorch import InceptionResnetV1  # isort: skip

    torch.manual_seed(3)
    network = InceptionResnetV1(classify=True, num_classes=7)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "20180402-114759-vggface2.pt"
    torch.save(network.state_dict(), path)
    return path
