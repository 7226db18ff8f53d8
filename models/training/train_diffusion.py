"""Trains the latent diffusion model: v-prediction, label dropout, altered views with tags, moving average of the
weights. On its way it keeps checkpoints, and measures each on pictures that were held out and on samples.
With --few it sees only so many pictures, unaltered, and learns them by heart."""

import argparse
import copy
import time

import torch

import augment
import diffusion
import emoji
from autoencoder import Decoder, exported
from denoiser import Denoiser
from muon import Muon

parser = argparse.ArgumentParser()
parser.add_argument("--latents", default="latents.pt")
parser.add_argument("--few", type=int, default=0, help="train on so many pictures, without altered views")
parser.add_argument("--held", type=float, default=0.05, help="share of the pictures that are held out")
parser.add_argument("--start", default="", help="begin with the weights of this checkpoint")
parser.add_argument("--steps", type=int, default=1 << 30, help="stop after so many steps")
parser.add_argument("--minutes", type=float, default=40, help="stop after so many minutes at the latest")
parser.add_argument("--batch", type=int, default=128)
parser.add_argument("--rate", type=float, default=2e-3)
parser.add_argument("--settle", type=int, default=4000, help="steps after which the rate falls with their root")
parser.add_argument("--decay", type=float, default=0.01, help="of the weights")
parser.add_argument("--dropout", type=float, default=0.0)
parser.add_argument("--drop", type=float, default=0.1, help="share of labels that become the null label")
parser.add_argument("--altered", type=float, default=0.6, help="share of pictures that are shown in an altered view")
parser.add_argument("--thin", type=int, default=96)
parser.add_argument("--wide", type=int, default=176)
parser.add_argument("--samples", type=int, default=256, help="drawn at each checkpoint for each guidance")
parser.add_argument("--seed", type=int, default=1)
parser.add_argument("--device", default="cpu", help="cuda compiles the network and captures a step as a graph")
parser.add_argument("--threads", type=int, default=1)
parser.add_argument("--folder", default="../emoji", help="where the decoder for the sheets is")
parser.add_argument("--out", default="denoiser", help="prefix of checkpoints, sheets and the log")
args = parser.parse_args()

torch.set_num_threads(args.threads)
torch.manual_seed(args.seed)
torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
device = torch.device(args.device)
log = emoji.Log(f"{args.out}.log")
data = torch.load(args.latents)
forms, tags, labels = (data[k].to(device) for k in ("forms", "tags", "labels"))
latents = forms[0].float()
scale = diffusion.typical(latents.cpu())
order = torch.randperm(len(labels), generator=torch.Generator().manual_seed(args.seed))
if args.few:
    by_class = [order[data["labels"][order] == k] for k in range(emoji.NULL)]
    order = torch.stack([by_class[i % emoji.NULL][i // emoji.NULL] for i in range(args.few)])
    held = order[:0]
else:
    held = order[:round(args.held * len(order))]
chosen = order[len(held):].to(device)
held = held.to(device)
fixed, kept_of = emoji.FIXED.to(device), diffusion.KEPT.to(device)
decoder = exported(Decoder, f"{args.folder}/vae_decoder/model.onnx").to(device)
mean, std = (data[k].view(1, -1, 1, 1).to(device) for k in ("mean", "std"))

shape = dict(thin=args.thin, wide=args.wide)
model = Denoiser(latents.shape[1], emoji.NULL, **shape, tags=augment.TAGS, dropout=args.dropout).to(device)
if args.start:
    model.load_state_dict({k: v.float() for k, v in torch.load(args.start, map_location="cpu")["ema"].items()})
ema = copy.deepcopy(model).eval()
rate = torch.tensor(args.rate, device=device)
optimiser = Muon(model.named_parameters(), rate, args.decay)
network = torch.compile(model, dynamic=False) if device.type == "cuda" else model
done = torch.zeros((), device=device)
total = torch.zeros((), device=device)
log(f"{vars(args)} parameters {sum(p.numel() for p in model.parameters())} seen {len(chosen)} held {len(held)}")


def noised(clean, noise, t):
    kept = kept_of[t].view(-1, 1, 1, 1)
    return kept.sqrt() * clean + (1 - kept).sqrt() * noise, kept.sqrt() * noise - (1 - kept).sqrt() * clean


def advance():
    """One step of training, all of it on the device."""
    done.add_(1)
    rate.copy_(args.rate * (done / 200).clamp(max=1) * (args.settle / done).clamp(max=1).sqrt())

    def rand():
        return torch.rand(args.batch, device=device)

    which = chosen[torch.randint(len(chosen), (args.batch,), device=device)]
    y = labels[which]
    if args.few:
        form = torch.zeros_like(y)
    else:
        form = ((rand() < 0.5) & ~fixed[y]).long()
        if len(forms) > 2:
            form = torch.where(rand() < args.altered, torch.randint(2, len(forms), (args.batch,), device=device), form)
    clean, tag = forms[form, which].float(), tags[form, which]
    t = ((torch.arange(args.batch, device=device) + rand()) / args.batch * diffusion.STEPS).long()
    noisy, target = noised(clean, torch.randn_like(clean), t)
    y = y.masked_fill(rand() < args.drop, emoji.NULL)
    model.zero_grad(set_to_none=True)
    with torch.autocast(device.type, torch.bfloat16):
        v = network(noisy, t, y, tag).float()
    loss = (v - target).square().mean()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimiser.step()
    total.add_(loss.detach())
    with torch.no_grad():  # an average over the last tenth or so, whatever the length (arXiv 2312.02696, section 3.1)
        gain = 1 - (1 - 1 / done) ** 10
        averages = list(ema.parameters())
        torch._foreach_mul_(averages, 1 - gain)
        torch._foreach_add_(averages, torch._foreach_mul(list(model.parameters()), gain))


@torch.no_grad()
def loss_on(pictures):
    """Loss of the average on plain pictures: the same noise and the same timesteps each time."""
    if not len(pictures):
        return float("nan")
    generator = torch.Generator().manual_seed(5)
    t = (torch.arange(32, device=device) * diffusion.STEPS + 500) // 32
    sums = 0.0
    for level in t.split(1):
        clean = latents[pictures]
        noisy, target = noised(clean, torch.randn(clean.shape, generator=generator).to(device), level.expand(len(clean)))
        sums += (ema(noisy, level.expand(len(clean)), labels[pictures]) - target).square().mean().item()
    return sums / len(t)


def draw(z):
    return emoji.bytes_of(decoder(z * std + mean))


def edges(pixels):
    """How sharp: the mean of |neighbour - neighbour|, in levels."""
    x = pixels.float()
    return ((x[..., 1:] - x[..., :-1]).abs().mean() + (x[..., 1:, :] - x[..., :-1, :]).abs().mean()).item() / 2


@torch.no_grad()
def judge(step):
    """Keeps and measures the average: samples for each guidance, and how near they lie to pictures."""
    weights = {k: v.cpu().half() if v.numel() >= 128 else v.cpu() for k, v in ema.state_dict().items()}  # as export.py does
    torch.save(dict(ema=weights, channels=latents.shape[1], shape=shape, step=step, chosen=chosen.cpu(),
                    held=held.cpu()), f"{args.out}-{step}.pt")
    some = torch.arange(args.samples, device=device) % emoji.NULL
    rows, text = [], []
    for guidance in (1.0, 2.0, 3.0):
        noise = torch.randn(args.samples, *latents.shape[1:], generator=torch.Generator().manual_seed(7)).to(device)
        x = diffusion.sample(ema, some, noise, 30, guidance, emoji.NULL)
        near, index = diffusion.nearest(x, latents)
        drawn = draw(x)
        rows += drawn[:72].cpu().split(18)
        inside = " ".join(f"{(near / scale < r).float().mean():.3f}" for r in (0.2, 0.3, 0.4, 0.5))
        text.append(f"guidance {guidance:g} within .2 .3 .4 .5: {inside}, median {(near / scale).median():.3f}, "
                    f"nearest is held out {torch.isin(index, held).float().mean():.3f}, edges {edges(drawn):.2f}")
    emoji.sheet(rows, f"{args.out}-{step}.png")
    log(f"step {step} epoch {step * args.batch / len(chosen):.0f} loss seen {loss_on(chosen[:len(held) or 45]):.4f} "
        f"held {loss_on(held):.4f}; " + "; ".join(text))


log(f"edges of the pictures decoded {edges(draw(latents[::7])):.2f}, deviation of latents {latents.std():.3f}")
begin, step = time.time(), 0
marks = {b << k for k in range(20) for b in (4000, 5000, 6000, 7000)} | {1000, 2000}
run = advance
if device.type == "cuda":  # three steps to compile and settle, then one is captured; all of them count
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(3):
            advance()
    torch.cuda.current_stream().wait_stream(side)
    step = 3
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        advance()
    run = graph.replay
    torch.cuda.synchronize()
    log("captured")
report, since = time.time(), step
while step < args.steps:
    run()
    step += 1
    if step % 50 == 0 and device.type == "cuda":
        torch.cuda.synchronize()
    late = time.time() - begin > args.minutes * 60
    if late or time.time() - report > 15:
        log(f"step {step} rate {rate.item():.1e} loss {total.item() / (step - since):.4f}, "
            f"{(time.time() - report) / (step - since) * 1000:.2f} ms a step")
        total.zero_()
        report, since = time.time(), step
    if step in marks:
        judge(step)
    if late:
        break
if step not in marks:
    judge(step)
