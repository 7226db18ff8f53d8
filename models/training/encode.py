"""Encodes all emoji once, as they are and in augmented forms, and measures mean and deviation per channel."""

import argparse

import torch
from torch.nn import functional as F

import emoji
from autoencoder import Autoencoder

parser = argparse.ArgumentParser()
parser.add_argument("--autoencoder", default="autoencoder.pt")
parser.add_argument("--out", default="latents.pt")
parser.add_argument("--threads", type=int, default=1)
args = parser.parse_args()

torch.set_num_threads(args.threads)
state = torch.load(args.autoencoder)
model = Autoencoder(state["channels"])
model.load_state_dict(state["ema"])
model.eval()
pixels, labels, names = emoji.load()
x = emoji.unit(pixels)


def moved(x, right, down):
    return F.pad(x, (4, 4, 4, 4), mode="replicate")[..., 4 - down:68 - down, 4 - right:68 - right]


with torch.no_grad():
    forms = []
    for flip in (False, True):
        for right, down in ((0, 0), (2, 0), (-2, 0), (0, 2), (0, -2)):
            form = moved(x.flip(3) if flip else x, right, down)
            forms.append(torch.cat([model.encoder(a) for a in form.split(64)]))
            print(flip, right, down, flush=True)
plain = forms[0]
mean, std = plain.mean((0, 2, 3)), plain.std((0, 2, 3))
forms = (torch.stack(forms) - mean.view(1, 1, -1, 1, 1)) / std.view(1, 1, -1, 1, 1)
torch.save(dict(forms=forms, labels=labels, names=names, mean=mean, std=std), args.out)
print("mean", mean.tolist(), "std", std.tolist())
