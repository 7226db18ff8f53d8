"""Measures an exported folder: the autoencoder's error and its round trip, then samples, how near they lie to
pictures, and sheets of samples above their nearest pictures. It needs the ONNX files and data/emoji alone."""

import argparse
import json
import os

import numpy as np
import onnxruntime
import torch

import diffusion
import emoji

parser = argparse.ArgumentParser()
parser.add_argument("--folder", required=True)
parser.add_argument("--guidance", type=float, nargs="+", default=[1.0, 2.0])
parser.add_argument("--count", type=int, default=256)
parser.add_argument("--steps", type=int, default=50)
parser.add_argument("--seed", type=int, default=7)
parser.add_argument("--threads", type=int, default=1)
parser.add_argument("--codec", action="store_true", help="measure the autoencoder too")
parser.add_argument("--sheet", default="", help="prefix of the sheets' file names")
args = parser.parse_args()


class Network:
    """An ONNX file as a function of tensors, 32 rows at a time."""

    def __init__(self, part):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = args.threads
        self.session = onnxruntime.InferenceSession(f"{args.folder}/{part}/model.onnx", options,
                                                    providers=["CPUExecutionProvider"])
        self.names = [i.name for i in self.session.get_inputs()]

    def __call__(self, *inputs):
        out = []
        for rows in zip(*(a.split(32) for a in inputs)):
            out.append(self.session.run(None, {n: a.numpy() for n, a in zip(self.names, rows)})[0])
        return torch.from_numpy(np.concatenate(out))


encoder, decoder, denoiser = Network("vae_encoder"), Network("vae_decoder"), Network("transformer")
with open(f"{args.folder}/vae_encoder/config.json", encoding="utf-8") as file:
    config = json.load(file)
mean = torch.tensor(config["latents_mean"]).view(1, -1, 1, 1)
std = torch.tensor(config["latents_std"]).view(1, -1, 1, 1)


def encode(pixels):
    return (encoder(emoji.unit(pixels)) - mean) / std


def decode(z):
    return emoji.bytes_of(decoder(z * std + mean))


pixels, labels, names = emoji.load()
latents = encode(pixels)
scale = diffusion.typical(latents)
print(f"{args.folder}: {len(names)} pictures, typical distance of two latents {scale:.2f}", flush=True)


def line(name, distance):
    inside = ", ".join(f"{(distance < r).float().mean():.3f} within {r}" for r in (0.2, 0.3, 0.4, 0.5))
    print(f"  {name}: {inside}; median {distance.median():.3f}", flush=True)


def trip(name, z):
    away = (encode(decode(z)) - z).flatten(1).norm(dim=1) / scale
    print(f"  decode, round, encode, {name}: median {away.median():.4f}, 99 % {away.quantile(0.99):.4f}, "
          f"most {away.max():.4f} of the typical distance", flush=True)


if args.codec:
    out = decode(latents)
    error = (out.float() - pixels.float()).square().flatten(1).mean(1)
    print(f"  reconstruction: rmse {error.mean().sqrt():.2f} levels; per picture median {error.sqrt().median():.2f}, "
          f"95 % {error.sqrt().quantile(0.95):.2f}, most {error.sqrt().max():.2f}")
    trip("pictures", latents)
    trip("pictures + noise of 0.1", latents + 0.1 * torch.randn(latents.shape, generator=torch.Generator().manual_seed(1)))
    trip("means of two pictures", (latents[:-1:2] + latents[1::2]) / 2)
    if args.sheet:
        some = torch.randperm(len(names), generator=torch.Generator().manual_seed(3))[:72]
        rows = [part[some[k:k + 18]] for k in range(0, 72, 18) for part in (pixels, out)]
        emoji.sheet(rows, f"{args.sheet}-codec.png")
    line("each picture's nearest other", torch.cdist(latents.flatten(1), latents.flatten(1)).kthvalue(2, 1).values / scale)

own = None
if os.path.exists(f"{args.folder}/memorised.txt"):
    with open(f"{args.folder}/memorised.txt", encoding="utf-8") as file:
        own = [names.index(name) for name in file.read().split()]

channels = config["latent_channels"]
for guidance in args.guidance:
    noise = torch.randn(args.count, channels, 8, 8, generator=torch.Generator().manual_seed(args.seed))
    x = diffusion.sample(denoiser, torch.arange(args.count) % emoji.NULL, noise, args.steps, guidance, emoji.NULL)
    near, index = diffusion.nearest(x, latents)
    print(f"guidance {guidance:g}, {args.steps} steps, {args.count} samples, deviation {x.std():.3f}")
    line("of all emoji", near / scale)
    if own:
        line(f"of its own {len(own)}", diffusion.nearest(x, latents[own])[0] / scale)
    trip("samples", x)
    if args.sheet:
        drawn = decode(x[:72])
        rows = [part for k in range(0, len(drawn), 18) for part in (drawn[k:k + 18], pixels[index[k:k + 18]])]
        emoji.sheet(rows, f"{args.sheet}-{guidance:g}.png")
