"""Altered views of the pictures, each with tags that say how it was altered. The denoiser sees the tags in training;
with all tags 0 it draws unaltered pictures, so that alterations make the data larger and do not show in samples
(Karras et al. 2022, arXiv 2206.00364, appendix F.2)."""

import math

import torch
from torch.nn import functional as F

TAGS = 8  # mirrored against the rule, right, down, size, aspect, turn, hue (cosine - 1, sine)


def views(x, fixed, generator, share=0.35):
    """Of pictures in [-1,1] [N,3,64,64] one view each and its tags [N,TAGS]; each alteration is done to a share of them.
    Where fixed [N] does not forbid it, half of the views are mirrored without a tag."""

    def uniform(most):
        value = (torch.rand(len(x), generator=generator, device=x.device) * 2 - 1) * most
        return torch.where(torch.rand(len(x), generator=generator, device=x.device) < share, value, 0)

    mirrored = torch.rand(len(x), generator=generator, device=x.device) < 0.5
    right, down, size, aspect = uniform(1), uniform(1), uniform(1), uniform(1)
    turn, hue = uniform(1), uniform(math.pi)
    wide, high = torch.exp(0.2 * size + 0.15 * aspect), torch.exp(0.2 * size - 0.15 * aspect)
    angle = turn * math.radians(30)
    flip = torch.where(mirrored, -1.0, 1.0)
    place = torch.stack([  # where each output point is read from: output = shift . stretch . turn . flip of the input
        torch.stack([flip * angle.cos() / wide, flip * angle.sin() / high, torch.zeros_like(angle)], 1),
        torch.stack([-angle.sin() / wide, angle.cos() / high, torch.zeros_like(angle)], 1)], 1)
    place[:, :, 2] = -(place[:, :, :2] @ torch.stack([right, down], 1).mul(0.2).unsqueeze(2)).squeeze(2)
    grid = F.affine_grid(place, x.shape, align_corners=False)
    out = F.grid_sample(x, grid, mode="bicubic", padding_mode="border", align_corners=False)

    one = torch.full((1, 3), 3 ** -0.5, device=x.device)  # hue: a turn about the grey axis, which leaves white white
    cross = torch.tensor([[0.0, -1, 1], [1, 0, -1], [-1, 1, 0]], device=x.device) * 3 ** -0.5
    cos, sin = hue.cos().view(-1, 1, 1), hue.sin().view(-1, 1, 1)
    colour = cos * torch.eye(3, device=x.device) + sin * cross + (1 - cos) * (one.T @ one)
    out = (colour @ out.flatten(2)).reshape(x.shape).clamp(-1, 1)
    against = (mirrored & fixed).float()
    return out, torch.stack([against, right, down, size, aspect, turn, hue.cos() - 1, hue.sin()], 1)
