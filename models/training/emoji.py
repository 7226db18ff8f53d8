"""The pictures of data/emoji as tensors, and small helpers that every script here shares."""

import os
import time

import numpy as np
import torch
from PIL import Image

ROOT = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
DATA = os.path.join(ROOT, "data", "emoji")
GROUPS = ["smileys-emotion", "people-body", "animals-nature", "food-drink", "travel-places",
          "activities", "objects", "symbols", "flags"]
NULL = len(GROUPS)
FIXED = torch.tensor([name in ("symbols", "flags") for name in GROUPS])  # not mirrored: letters stay readable


def load():
    """All pictures as uint8 [N,3,64,64], their group numbers [N] and their file names, in names.tsv's order."""
    images, labels, names = [], [], []
    with open(os.path.join(DATA, "names.tsv"), encoding="utf-8") as lines:
        for line in lines:
            file, _, group = line.rstrip("\n").split("\t")
            images.append(np.asarray(Image.open(os.path.join(DATA, file + ".png")).convert("RGB")))
            labels.append(GROUPS.index(group))
            names.append(file)
    pixels = torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2).contiguous()
    return pixels, torch.tensor(labels), names


def unit(pixels):
    """uint8 to [-1, 1]."""
    return pixels.float() / 127.5 - 1


def bytes_of(x):
    """[-1, 1] to uint8, rounded and clamped."""
    return ((x.clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8)


def sheet(rows, path, scale=1):
    """Rows of uint8 [n,3,64,64] as one PNG."""
    grid = torch.cat([torch.cat(list(row), dim=2) for row in rows], dim=1)
    image = Image.fromarray(grid.permute(1, 2, 0).numpy())
    if scale != 1:
        image = image.resize((image.width * scale, image.height * scale), Image.NEAREST)
    image.save(path)


class Log:
    """Prints a line with the seconds since the start, and keeps it in a file."""

    def __init__(self, path):
        self.start = time.time()
        self.file = open(path, "a", encoding="utf-8")

    def __call__(self, text):
        line = f"{time.time() - self.start:7.0f}s  {text}"
        print(line, flush=True)
        self.file.write(line + "\n")
        self.file.flush()
