"""Lets timm, facenet-pytorch and open_clip be imported beside a torchvision whose compiled extension did not load.

A torchvision wheel built for another torch (CUDA beside CPU) cannot load its operators, and `import torchvision` fails
at the first of them. Import this module before any of the three; where the real extension loads it does nothing.
"""

import importlib.util
from pathlib import Path
from typing import Any

import torch

torch.set_num_threads(1)


def _extension_loads() -> bool:
    """Whether torchvision's compiled operators are there and fit this torch."""
    spec = importlib.util.find_spec("torchvision")
    if spec is None or spec.origin is None:
        return True
    for extension in Path(spec.origin).parent.glob("_C*"):
        try:
            torch.ops.load_library(str(extension))  # type: ignore[no-untyped-call]
        except OSError:
            return False
        return True
    return False


def _nms(boxes: torch.Tensor, scores: torch.Tensor, iou_threshold: float) -> torch.Tensor:
    """Greedy non-maximum suppression: indices of the boxes kept, best first."""
    order = torch.argsort(scores, descending=True, stable=True)
    area = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    kept: list[int] = []
    while len(order):
        best, order = order[0], order[1:]
        kept.append(int(best))
        low = torch.maximum(boxes[order, :2], boxes[best, :2])
        high = torch.minimum(boxes[order, 2:], boxes[best, 2:])
        shared = (high - low).clamp(min=0).prod(dim=1)
        order = order[shared / (area[order] + area[best] - shared) <= iou_threshold]
    return torch.tensor(kept, dtype=torch.int64, device=boxes.device)


def _registered() -> Any:
    """The missing operators; they live as long as the object that is returned."""
    library: Any = torch.library.Library("torchvision", "DEF")  # type: ignore[no-untyped-call]
    for name in ("nms", "qnms"):
        library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    library.impl("nms", _nms, "CPU")
    import torchvision.ops.boxes

    torchvision.ops.boxes._assert_has_ops = lambda: None
    return library


LIBRARY = None if _extension_loads() else _registered()
"""Kept so that the operators stay registered; None where torchvision brought its own."""
