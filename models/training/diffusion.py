"""The noise schedule, the DDIM sampler and the figures, on latents that have unit variance per channel."""

import torch

STEPS = 1000
BETAS = torch.linspace(1e-4, 0.02, STEPS, dtype=torch.float64)  # diffusers' "linear"
KEPT = torch.cumprod(1 - BETAS, 0).float()


@torch.no_grad()
def sample(model, labels, noise, steps=50, guidance=1.0, null=9):
    """DDIM without noise, trailing timesteps, v-prediction; as DDIMScheduler with set_alpha_to_one."""
    x = noise
    times = (torch.arange(STEPS, 0, -STEPS / steps).round().long() - 1).tolist()
    for t in times:
        at = torch.full((len(x),), t, device=x.device)
        v = model(x, at, labels)
        if guidance != 1:
            free = model(x, at, torch.full_like(labels, null))
            v = free + guidance * (v - free)
        now = KEPT[t]
        before = t - STEPS // steps
        then = KEPT[before] if before >= 0 else torch.ones(())
        clean = now.sqrt() * x - (1 - now).sqrt() * v
        noise_part = now.sqrt() * v + (1 - now).sqrt() * x
        x = then.sqrt() * clean + (1 - then).sqrt() * noise_part
    return x


def typical(latents):
    """Median distance between two latents of the set."""
    return torch.pdist(latents.flatten(1)).median().item()


def nearest(x, latents):
    """Distance to the nearest latent of the set, and its number."""
    found = torch.cdist(x.flatten(1), latents.flatten(1), compute_mode="donot_use_mm_for_euclid_dist").min(1)
    return found.values, found.indices
