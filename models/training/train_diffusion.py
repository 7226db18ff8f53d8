"""Trains the latent diffusion model: v-prediction, label dropout, moving average of the weights.
With --few it sees only so many pictures, and learns them by heart."""

import argparse
import copy
import math
import os
import time

import torch

import diffusion
import emoji
from denoiser import Denoiser
from muon import Muon

parser = argparse.ArgumentParser()
parser.add_argument("--latents", default="latents.pt")
parser.add_argument("--few", type=int, default=0, help="train on so many pictures, without augmentation")
parser.add_argument("--start", default="", help="begin with the weights of this checkpoint")
parser.add_argument("--minutes", type=float, default=40)
parser.add_argument("--batch", type=int, default=128)
parser.add_argument("--rate", type=float, default=1e-3)
parser.add_argument("--keep", type=float, default=0.999, help="of the moving average")
parser.add_argument("--drop", type=float, default=0.1, help="share of labels that become the null label")
parser.add_argument("--moved", type=float, default=0.7, help="share of pictures that may be moved by two pixels")
parser.add_argument("--floor", type=float, default=0.01, help="last learning rate, as a share of the first")
parser.add_argument("--seed", type=int, default=1)
parser.add_argument("--threads", type=int, default=1)
parser.add_argument("--resume", action="store_true")
parser.add_argument("--out", default="denoiser.pt")
args = parser.parse_args()

torch.set_num_threads(args.threads)
torch.manual_seed(args.seed)
log = emoji.Log(args.out.replace(".pt", ".log"))
data = torch.load(args.latents)
forms, labels = data["forms"], data["labels"]
chosen = torch.arange(len(labels))
if args.few:
    order = torch.randperm(len(labels), generator=torch.Generator().manual_seed(args.seed))
    by_class = [order[labels[order] == k] for k in range(emoji.NULL)]
    chosen = torch.stack([by_class[i % emoji.NULL][i // emoji.NULL] for i in range(args.few)])
    forms = forms[:1]
mirrored = forms.shape[0] // 2
fixed = torch.tensor([name in ("symbols", "flags") for name in emoji.GROUPS])  # letters stay readable

model = Denoiser(forms.shape[2], emoji.NULL)
if args.start:
    model.load_state_dict(torch.load(args.start)["ema"])
ema = copy.deepcopy(model).eval()
optimiser = Muon(model.named_parameters(), args.rate)
step, spent = 0, 0.0
if args.resume and os.path.exists(args.out):
    state = torch.load(args.out)
    model.load_state_dict(state["model"])
    ema.load_state_dict(state["ema"])
    optimiser.load_state_dict(state["optimiser"])
    step, spent = state["step"], state["spent"]
    torch.manual_seed(args.seed + step)
log(f"{vars(args)} parameters {sum(p.numel() for p in model.parameters())} pictures {len(chosen)}")


def save():
    torch.save(dict(model=model.state_dict(), ema=ema.state_dict(), optimiser=optimiser.state_dict(), step=step,
                    spent=spent, channels=forms.shape[2], chosen=chosen), args.out)


last, losses, report, budget = time.time(), [], spent + 60, args.minutes * 60
while spent < budget:
    share = spent / budget
    rate = args.rate * min(1, spent / 30 + 0.01) * (args.floor + (1 - args.floor) * 0.5 * (1 + math.cos(math.pi * share)))
    which = chosen[torch.randint(len(chosen), (args.batch,))]
    y = labels[which]
    if args.few:
        form = torch.zeros(args.batch, dtype=torch.long)
    else:
        form = torch.randint(forms.shape[0], (args.batch,))
        form = torch.where(torch.rand(args.batch) >= args.moved, form - form % mirrored, form)  # unmoved more often
        form = torch.where(fixed[y], form % mirrored, form)
    clean = forms[form, which].float()
    t = ((torch.arange(args.batch) + torch.rand(args.batch)) / args.batch * diffusion.STEPS).long()
    kept = diffusion.KEPT[t].view(-1, 1, 1, 1)
    noise = torch.randn_like(clean)
    noisy = kept.sqrt() * clean + (1 - kept).sqrt() * noise
    target = kept.sqrt() * noise - (1 - kept).sqrt() * clean
    y = torch.where(torch.rand(args.batch) < args.drop, emoji.NULL, y)
    with torch.autocast("cpu", torch.bfloat16):
        v = model(noisy, t, y).float()
    loss = (v - target).square().mean()
    model.zero_grad(set_to_none=True)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimiser.step(rate)
    losses.append(loss.item())
    step += 1
    keep = min(args.keep, (step + 1) / (step + 10))
    with torch.no_grad():
        torch._foreach_lerp_(list(ema.parameters()), list(model.parameters()), 1 - keep)
    now = time.time()
    if now - last < 20:  # a pause of the whole process costs no training time
        spent += now - last
    last = now
    if spent >= report or spent >= budget:
        report = spent + 60
        log(f"step {step} epoch {step * args.batch / len(chosen):.0f} rate {rate:.1e} loss {sum(losses) / len(losses):.4f}")
        losses = []
        save()
save()
