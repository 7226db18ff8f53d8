"""Muon for the weights that are matrices (convolutions flattened), AdamW for everything else; one learning rate."""

import torch


def orthogonal(update):
    """Brings all singular values near 1, by five Newton-Schulz steps."""
    x = update / (update.norm() + 1e-7)
    tall = x.shape[0] > x.shape[1]
    x = (x.T if tall else x).bfloat16()
    for _ in range(5):
        square = x @ x.T
        x = 3.4445 * x + (-4.7750 * square + 2.0315 * square @ square) @ x
    return (x.T if tall else x).float()


class Muon:
    def __init__(self, named, rate, decay=0.01, momentum=0.95):
        self.matrices, rest = [], []
        for name, p in named:
            wide = p.ndim >= 2 and min(p.shape[0], p[0].numel()) >= 24
            (self.matrices if wide and "label" not in name and "place" not in name and "table" not in name else rest).append(p)
        self.buffers = [torch.zeros_like(p) for p in self.matrices]
        self.decay, self.momentum = decay, momentum
        self.adam = torch.optim.AdamW(rest, lr=rate, betas=(0.9, 0.99), weight_decay=decay)

    @torch.no_grad()
    def step(self, rate):
        for group in self.adam.param_groups:
            group["lr"] = rate
        self.adam.step()
        for p, buffer in zip(self.matrices, self.buffers):
            buffer.lerp_(p.grad, 1 - self.momentum)
            update = orthogonal(p.grad.lerp(buffer, self.momentum).flatten(1))
            scale = 0.2 * max(update.shape) ** 0.5
            p.mul_(1 - rate * self.decay).add_(update.reshape(p.shape), alpha=-rate * scale)

    def state_dict(self):
        return dict(adam=self.adam.state_dict(), buffers=self.buffers)

    def load_state_dict(self, state):
        self.adam.load_state_dict(state["adam"])
        for buffer, saved in zip(self.buffers, state["buffers"]):
            buffer.copy_(saved)
