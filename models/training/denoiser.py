"""A small class-conditional transformer in the shape of an hourglass: convolutional blocks on the 8x8 latents,
attention on 4x4 merged ones. It predicts v."""

import math

import torch
from torch import nn
from torch.nn import functional as F


def modulate(x, shift, scale, width):
    return F.layer_norm(x, (width,)) * (1 + scale) + shift


class Feed(nn.Module):
    """Feed-forward with a depthwise 3x3 convolution between, which mixes neighbours. Tokens are [B,side*side,width]."""

    def __init__(self, width, side, dropout, ratio=3):
        super().__init__()
        self.side, self.hidden, self.dropout = side, ratio * width, dropout
        self.up = nn.Linear(width, ratio * width)
        self.mix = nn.Conv2d(ratio * width, ratio * width, 3, padding=1, groups=ratio * width)
        self.down = nn.Linear(ratio * width, width)
        nn.init.zeros_(self.down.weight)
        nn.init.zeros_(self.down.bias)

    def forward(self, x):
        x = self.up(x)
        grid = x.transpose(1, 2).reshape(-1, self.hidden, self.side, self.side)
        x = x + self.mix(grid).flatten(2).transpose(1, 2)
        return self.down(F.dropout(F.gelu(x, approximate="tanh"), self.dropout, self.training and self.dropout > 0))


class Attention(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.width, self.heads = width, heads
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    def forward(self, x):
        tokens, width = 16, self.width
        q, k, v = self.qkv(x).reshape(-1, tokens, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4)
        weights = (q @ k.transpose(-1, -2) * (width // self.heads) ** -0.5).softmax(-1)
        return self.out((weights @ v).transpose(1, 2).reshape(-1, tokens, width))


class Block(nn.Module):
    """Attention (where asked for) and feed-forward; each is shifted, scaled and gated by the condition."""

    def __init__(self, width, side, heads, dropout):
        super().__init__()
        self.attention = Attention(width, heads) if heads else None
        self.feed = Feed(width, side, dropout)
        self.width, self.parts = width, 6 if heads else 3
        base = torch.zeros(self.parts, width)
        base[2::3] = 1
        self.table = nn.Parameter(base)

    def forward(self, x, condition):
        m = (self.table + condition.reshape(-1, 6, self.width)[:, :self.parts]).unsqueeze(2).unbind(1)
        if self.attention is not None:
            x = x + m[5] * self.attention(modulate(x, m[3], m[4], self.width))
        return x + m[2] * self.feed(modulate(x, m[0], m[1], self.width))


class Denoiser(nn.Module):
    """With tags it also takes what was altered in a picture, in training; where they are left out, nothing was."""

    def __init__(self, channels, classes, thin=96, wide=176, outer=2, inner=4, tags=0, dropout=0.0):
        super().__init__()
        self.channels, self.thin, self.wide = channels, thin, wide
        self.time = nn.Sequential(nn.Linear(128, wide), nn.SiLU(), nn.Linear(wide, wide))
        self.label = nn.Embedding(classes + 1, wide)
        nn.init.normal_(self.label.weight, std=0.02)
        self.tag = nn.Linear(tags, wide, bias=False) if tags else None
        self.narrow = nn.Linear(wide, 64)
        self.to_thin = nn.Linear(64, 6 * thin)
        self.to_wide = nn.Linear(64, 6 * wide)
        for layer in (self.to_thin, self.to_wide):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)
        self.stem = nn.Conv2d(channels, thin, 3, padding=1)
        self.place = nn.Parameter(0.02 * torch.randn(1, 16, wide))
        self.first = nn.ModuleList(Block(thin, 8, 0, dropout) for _ in range(outer))
        self.merge = nn.Linear(4 * thin, wide)
        self.middle = nn.ModuleList(Block(wide, 4, 8, dropout) for _ in range(inner))
        self.split = nn.Linear(wide, 4 * thin)
        self.join = nn.Linear(2 * thin, thin)
        self.last = nn.ModuleList(Block(thin, 8, 0, dropout) for _ in range(outer))
        self.head = nn.Linear(thin, channels)
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)
        self.register_buffer("waves", torch.exp(-math.log(10000) * torch.arange(64) / 64), persistent=False)

    def forward(self, hidden_states, timestep, class_labels, tags=None):
        angle = timestep.float().unsqueeze(1) * self.waves
        condition = self.time(torch.cat([angle.cos(), angle.sin()], 1)) + self.label(class_labels)
        if tags is not None:
            condition = condition + self.tag(tags)
        condition = F.silu(self.narrow(F.silu(condition)))
        thin, wide = self.to_thin(condition), self.to_wide(condition)
        x = self.stem(hidden_states).flatten(2).transpose(1, 2)
        for block in self.first:
            x = block(x, thin)
        skip, width = x, self.thin
        x = x.reshape(-1, 4, 2, 4, 2, width).permute(0, 1, 3, 2, 4, 5).reshape(-1, 16, 4 * width)
        x = self.merge(x) + self.place
        for block in self.middle:
            x = block(x, wide)
        x = self.split(x).reshape(-1, 4, 4, 2, 2, width).permute(0, 1, 3, 2, 4, 5).reshape(-1, 64, width)
        x = self.join(torch.cat([x, skip], 2))
        for block in self.last:
            x = block(x, thin)
        x = self.head(F.layer_norm(x, (width,)))
        return x.transpose(1, 2).reshape(-1, self.channels, 8, 8)
