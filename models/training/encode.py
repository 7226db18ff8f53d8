"""Encodes all emoji once, as they are, mirrored and in altered views, and measures mean and deviation per channel.
The encoder comes from a checkpoint, or from an exported folder, whose mean and deviation then hold."""

import argparse
import json

import torch

import augment
import emoji
from autoencoder import Autoencoder, Encoder, exported

parser = argparse.ArgumentParser()
parser.add_argument("--autoencoder", default="", help="a checkpoint of train_autoencoder.py")
parser.add_argument("--folder", default="", help="or a folder that export.py wrote")
parser.add_argument("--views", type=int, default=100, help="altered views of each picture")
parser.add_argument("--out", default="latents.pt")
parser.add_argument("--device", default="cpu")
parser.add_argument("--threads", type=int, default=1)
parser.add_argument("--seed", type=int, default=1)
args = parser.parse_args()

torch.set_num_threads(args.threads)
if args.folder:
    encoder = exported(Encoder, f"{args.folder}/vae_encoder/model.onnx")
else:
    state = torch.load(args.autoencoder)
    auto = Autoencoder(state["channels"])
    auto.load_state_dict(state["ema"])
    encoder = auto.encoder.eval()
encoder.to(args.device)
pixels, labels, names = emoji.load()
x = emoji.unit(pixels).to(args.device)
fixed = emoji.FIXED[labels].to(args.device)
generator = torch.Generator(args.device).manual_seed(args.seed)
plain = torch.zeros(len(x), augment.TAGS, device=args.device)
mirrored = plain.clone()
mirrored[:, 0] = fixed.float()

with torch.no_grad():
    forms, tags = [], []
    for k in range(args.views + 2):
        form, tag = (x, plain) if k == 0 else (x.flip(3), mirrored) if k == 1 else augment.views(x, fixed, generator)
        forms.append(torch.cat([encoder(a) for a in form.split(256)]))
        tags.append(tag)
if args.folder:
    with open(f"{args.folder}/vae_encoder/config.json", encoding="utf-8") as file:
        config = json.load(file)
    mean, std = (torch.tensor(config[k], device=args.device) for k in ("latents_mean", "latents_std"))
else:
    mean, std = forms[0].mean((0, 2, 3)), forms[0].std((0, 2, 3))
forms = torch.stack([((form - mean.view(1, -1, 1, 1)) / std.view(1, -1, 1, 1)).half() for form in forms])
torch.save(dict(forms=forms.cpu(), tags=torch.stack(tags).cpu(), labels=labels, names=names, mean=mean.cpu(),
                std=std.cpu()), args.out)
print(f"{len(forms)} forms of {len(names)} pictures, deviation of each channel of the plain ones "
      f"{forms[0].float().std((0, 2, 3)).tolist()}")
