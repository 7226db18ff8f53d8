"""Trains the autoencoder on all emoji. Noise on the latents keeps the space smooth; a cycle loss makes
decode, round, encode nearly the identity, also for mixtures of latents, which no picture has."""

import argparse
import copy
import math
import os
import time

import torch
from torch.nn import functional as F

import emoji
from autoencoder import Autoencoder
from muon import Muon

parser = argparse.ArgumentParser()
parser.add_argument("--channels", type=int, default=12)
parser.add_argument("--minutes", type=float, default=15)
parser.add_argument("--batch", type=int, default=32)
parser.add_argument("--rate", type=float, default=2e-3)
parser.add_argument("--noise", type=float, default=0.05)
parser.add_argument("--cycle", type=float, default=0.2)
parser.add_argument("--seed", type=int, default=1)
parser.add_argument("--threads", type=int, default=1)
parser.add_argument("--resume", action="store_true")
parser.add_argument("--freeze", default="", help="take this checkpoint, keep its encoder, train the decoder on")
parser.add_argument("--out", default="autoencoder.pt")
args = parser.parse_args()

torch.set_num_threads(args.threads)
torch.manual_seed(args.seed)
log = emoji.Log(args.out.replace(".pt", ".log"))
pixels, _, _ = emoji.load()
x_all = emoji.unit(pixels)
model = Autoencoder(args.channels)
ema = copy.deepcopy(model).eval()
trained = [(n, p) for n, p in model.named_parameters() if not args.freeze or n.startswith("decoder")]
optimiser = Muon(trained, args.rate)
step, spent = 0, 0.0
if args.resume and os.path.exists(args.out):
    state = torch.load(args.out)
    model.load_state_dict(state["model"])
    ema.load_state_dict(state["ema"])
    optimiser.load_state_dict(state["optimiser"])
    step, spent = state["step"], state["spent"]
elif args.freeze:
    state = torch.load(args.freeze)
    for part in (model, ema):
        part.load_state_dict(state["ema"])
    step = state["step"]
if args.freeze:
    model.encoder.eval().requires_grad_(False)
    with torch.no_grad():
        z_all = torch.stack([torch.cat([ema.encoder(a) for a in form.split(64)]) for form in (x_all, x_all.flip(3))])
count = sum(p.numel() for p in model.parameters())
log(f"{vars(args)} parameters {count}")


def gradient(x):
    return x[..., 1:] - x[..., :-1], x[..., 1:, :] - x[..., :-1, :]


def save():
    torch.save(dict(model=model.state_dict(), ema=ema.state_dict(), optimiser=optimiser.state_dict(),
                    step=step, spent=spent, channels=args.channels), args.out)


@torch.no_grad()
def measure(full):
    some = slice(0, None, 1 if full else 8)
    z = torch.cat([ema.encoder(x) for x in x_all[some].split(64)])
    out = torch.cat([emoji.bytes_of(ema.decoder(a)) for a in z.split(64)])
    error = (out.float() - pixels[some].float()).square().mean().sqrt().item()
    back = torch.cat([ema.encoder(emoji.unit(a)) for a in out.split(64)])
    typical = torch.pdist(z.flatten(1)[::3 if full else 1]).median()
    cycle = (back - z).flatten(1).norm(dim=1) / typical
    noisy = z + 0.1 * torch.randn_like(z)
    again = torch.cat([ema.encoder(emoji.unit(emoji.bytes_of(ema.decoder(a)))) for a in noisy.split(64)])
    off = (again - noisy).flatten(1).norm(dim=1) / typical
    return (f"rmse {error:.2f} levels, typical {typical:.2f}, cycle {cycle.median():.4f} (max {cycle.max():.4f}), "
            f"of noisy latents {off.median():.4f}")


begin, last, losses, report = time.time(), time.time(), [], 60.0
budget = args.minutes * 60
base = spent
while spent < budget:
    share = spent / budget
    rate = args.rate * min(1, spent / 15 + 0.01) * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * share)))
    which, flip = torch.randint(len(x_all), (args.batch,)), int(torch.rand(()) < 0.5)
    x = x_all[which].flip(3) if flip else x_all[which]
    fast = torch.autocast("cpu", torch.bfloat16, enabled=share < 0.85)
    with fast:
        z = z_all[flip, which] if args.freeze else model.encoder(x)
        y = model.decoder(z + args.noise * torch.randn_like(z)).float()
    loss = 2 * F.mse_loss(y, x) + 0.2 * F.l1_loss(y, x)
    loss = loss + 0.2 * sum(F.l1_loss(a, b) for a, b in zip(gradient(y), gradient(x)))
    losses.append((y.detach() - x).square().mean().item())
    if step % 2 == 0 and args.cycle > 0:
        half = args.batch // 4
        mix = torch.rand(half, 1, 1, 1)
        odd = (mix * z[:half] + (1 - mix) * z[half:2 * half]).detach()
        odd = odd.float()
        odd = odd + 0.2 * torch.rand(half, 1, 1, 1) * torch.randn_like(odd)
        with fast:
            fake = model.decoder(odd).float()
        fake = fake + (torch.rand_like(fake) - 0.5) / 127.5
        model.encoder.norm.eval()
        with fast:
            back = model.encoder(fake.clamp(-1, 1)).float()
        model.encoder.norm.train(not args.freeze)
        loss = loss + args.cycle * F.mse_loss(back, odd)
    model.zero_grad(set_to_none=True)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimiser.step(rate)
    step += 1
    keep = min(0.998, (step + 1) / (step + 10))
    with torch.no_grad():
        for a, b in zip(ema.state_dict().values(), model.state_dict().values()):
            if a.dtype.is_floating_point:
                a.lerp_(b, 1 - keep)
            else:
                a.copy_(b)
    now = time.time()
    if now - last < 20:  # a pause of the whole process costs no training time
        spent += now - last
    last = now
    if spent >= report or spent >= budget:
        report = spent + 90
        rmse = 127.5 * math.sqrt(sum(losses) / len(losses))
        log(f"step {step} epoch {step * args.batch / len(x_all):.0f} rate {rate:.1e} noisy rmse {rmse:.2f} | {measure(spent >= budget)}")
        losses = []
        save()
save()
