"""A small convolutional autoencoder: 3x64x64 in [-1,1] to Cx8x8 and back; any multiple of 8 works."""

import onnx
import torch
from onnx import numpy_helper
from torch import nn
from torch.nn import functional as F


class Block(nn.Module):
    """Residual block without a norm: it starts as the identity, and looks only at its neighbourhood."""

    def __init__(self, width):
        super().__init__()
        self.a = nn.Conv2d(width, width, 3, padding=1)
        self.b = nn.Conv2d(width, width, 3, padding=1)
        nn.init.zeros_(self.b.weight)
        nn.init.zeros_(self.b.bias)

    def forward(self, x):
        return x + self.b(F.silu(self.a(F.silu(x))))


class Encoder(nn.Module):
    def __init__(self, channels, wide=96, narrow=64):
        super().__init__()
        self.linear = nn.Conv2d(3, channels, 8, stride=8)
        self.body = nn.Sequential(
            nn.PixelUnshuffle(4), nn.Conv2d(48, narrow, 3, padding=1), Block(narrow), Block(narrow),
            nn.PixelUnshuffle(2), nn.Conv2d(4 * narrow, wide, 1), Block(wide), Block(wide),
            nn.SiLU(), nn.Conv2d(wide, channels, 1))
        self.norm = nn.BatchNorm2d(channels, affine=False, momentum=0.01)

    def forward(self, x):
        return self.norm(self.linear(x) + self.body(x))


class Decoder(nn.Module):
    def __init__(self, channels, wide=96, narrow=64, thin=32):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(channels, wide, 3, padding=1), Block(wide), Block(wide),
            nn.Conv2d(wide, 4 * narrow, 1), nn.PixelShuffle(2), Block(narrow), Block(narrow), Block(narrow),
            nn.Conv2d(narrow, 4 * thin, 1), nn.PixelShuffle(2), Block(thin), Block(thin),
            nn.SiLU(), nn.Conv2d(thin, 12, 3, padding=1), nn.PixelShuffle(2))

    def forward(self, z):
        return self.body(z)


class Autoencoder(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.encoder = Encoder(channels)
        self.decoder = Decoder(channels)


def exported(half, path):
    """An Encoder or Decoder with the weights of an ONNX file that export.py wrote."""
    weights = {}
    for tensor in onnx.load(path).graph.initializer:
        weights[tensor.name.removesuffix("_half")] = torch.from_numpy(numpy_helper.to_array(tensor).astype("float32"))
    channels = weights["body.9.bias"].shape[0] if half is Encoder else weights["body.0.weight"].shape[1]
    module = half(channels)
    missing, unknown = module.load_state_dict(weights, strict=False)
    if set(missing) - {"norm.num_batches_tracked"} or unknown:
        raise ValueError(f"{path} is no {half.__name__}: it lacks {missing} and has {unknown}")
    return module.eval()
