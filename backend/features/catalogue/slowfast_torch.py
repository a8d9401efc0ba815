"""The network of SlowFast 8x8 with ResNet-50 (Feichtenhofer et al. 2019), ported from pytorchvideo 0.1.5 (Apache-2.0).

Source: github.com/facebookresearch/pytorchvideo, models/slowfast.py, resnet.py and stem.py with the values of
hub/slowfast.py: slowfast_r50. It bears the names of the published file, without the projection to classes. Checked
against the original: docs/decisions/0033-feature-catalogue.md.
"""

import torch
from torch import Tensor, nn

FRAMES, ALPHA, BETA = 32, 4, 8
"""The fast pathway sees ALPHA times the frames of the slow one, with a BETA-th of its channels."""

DEPTHS = (3, 4, 6, 3)
SLOW_KERNELS, FAST_KERNELS = (1, 1, 3, 3), (3, 3, 3, 3)
POOLS = ((FRAMES // ALPHA, 7, 7), (FRAMES, 7, 7))


def _conv(given: int, made: int, kernel: tuple[int, int, int], stride: tuple[int, int, int]) -> nn.Conv3d:
    padding = (kernel[0] // 2, kernel[1] // 2, kernel[2] // 2)
    return nn.Conv3d(given, made, kernel, stride, padding, bias=False)


class _Stem(nn.Module):
    def __init__(self, made: int, length: int) -> None:
        super().__init__()
        self.conv = _conv(3, made, (length, 7, 7), (1, 2, 2))
        self.norm = nn.BatchNorm3d(made)
        self.pool = nn.MaxPool3d((1, 3, 3), (1, 2, 2), (0, 1, 1))

    def forward(self, clip: Tensor) -> Tensor:
        found: Tensor = self.pool(self.norm(self.conv(clip)).relu())
        return found


class _Branch(nn.Module):
    def __init__(self, given: int, inner: int, made: int, length: int, step: int) -> None:
        super().__init__()
        self.conv_a, self.norm_a = _conv(given, inner, (length, 1, 1), (1, 1, 1)), nn.BatchNorm3d(inner)
        self.conv_b, self.norm_b = _conv(inner, inner, (1, 3, 3), (1, step, step)), nn.BatchNorm3d(inner)
        self.conv_c, self.norm_c = _conv(inner, made, (1, 1, 1), (1, 1, 1)), nn.BatchNorm3d(made)

    def forward(self, values: Tensor) -> Tensor:
        values = self.norm_a(self.conv_a(values)).relu()
        values = self.norm_b(self.conv_b(values)).relu()
        found: Tensor = self.norm_c(self.conv_c(values))
        return found


class _Block(nn.Module):
    def __init__(self, given: int, inner: int, made: int, length: int, step: int) -> None:
        super().__init__()
        self.branch1_conv = self.branch1_norm = None
        if given != made or step > 1:
            self.branch1_conv = _conv(given, made, (1, 1, 1), (1, step, step))
            self.branch1_norm = nn.BatchNorm3d(made)
        self.branch2 = _Branch(given, inner, made, length, step)

    def forward(self, values: Tensor) -> Tensor:
        short = values
        if self.branch1_conv is not None and self.branch1_norm is not None:
            short = self.branch1_norm(self.branch1_conv(values))
        found: Tensor = (short + self.branch2(values)).relu()
        return found


class _Stage(nn.Module):
    def __init__(self, depth: int, sizes: tuple[int, int, int], length: int, step: int) -> None:
        super().__init__()
        given, inner, made = sizes
        first = _Block(given, inner, made, length, step)
        self.res_blocks = nn.ModuleList([first, *(_Block(made, inner, made, length, 1) for _ in range(depth - 1))])

    def forward(self, values: Tensor) -> Tensor:
        for block in self.res_blocks:
            values = block(values)
        return values


class _Fusion(nn.Module):
    def __init__(self, fast: int) -> None:
        super().__init__()
        self.conv_fast_to_slow = _conv(fast, 2 * fast, (7, 1, 1), (ALPHA, 1, 1))
        self.norm = nn.BatchNorm3d(2 * fast)

    def forward(self, slow: Tensor, fast: Tensor) -> Tensor:
        return torch.cat([slow, self.norm(self.conv_fast_to_slow(fast)).relu()], dim=1)


class _Pathways(nn.Module):
    def __init__(self, slow: nn.Module, fast: nn.Module, fused: int) -> None:
        super().__init__()
        self.multipathway_blocks = nn.ModuleList([slow, fast])
        self.multipathway_fusion = _Fusion(fused) if fused else None

    def forward(self, slow: Tensor, fast: Tensor) -> tuple[Tensor, Tensor]:
        slow, fast = self.multipathway_blocks[0](slow), self.multipathway_blocks[1](fast)
        return (slow if self.multipathway_fusion is None else self.multipathway_fusion(slow, fast)), fast


def _stages() -> list[nn.Module]:
    made: list[nn.Module] = [_Pathways(_Stem(64, 1), _Stem(64 // BETA, 5), 64 // BETA)]
    given, out = 64, 256
    for k, depth in enumerate(DEPTHS):
        step, last = (1 if k == 0 else 2), k == len(DEPTHS) - 1
        slow = _Stage(depth, (given + 2 * given // BETA, out // 4, out), SLOW_KERNELS[k], step)
        fast = _Stage(depth, (given // BETA, out // 4 // BETA, out // BETA), FAST_KERNELS[k], step)
        made.append(_Pathways(slow, fast, 0 if last else out // BETA))
        given, out = out, 2 * out
    return made


class Network(nn.Module):
    """Float32 [n, 3, 32, 256, 256] → [n, 2304]: the slow pathway's 2048 figures, then the fast one's 256."""

    def __init__(self) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(_stages())
        self.pools = [nn.AvgPool3d(size, 1) for size in POOLS]

    def forward(self, clip: Tensor) -> Tensor:
        # Counted on the CPU: elsewhere the last may be rounded down.
        places = torch.linspace(0, clip.shape[2] - 1, clip.shape[2] // ALPHA).long().to(clip.device)
        paths = (clip.index_select(2, places), clip)
        for block in self.blocks:
            paths = block(*paths)
        found = [pool(path).mean(dim=(2, 3, 4)) for pool, path in zip(self.pools, paths, strict=True)]
        return torch.cat(found, dim=1)
