"""Muon for the weights that are matrices (convolutions flattened), AdamW for everything else; one learning rate, which
is a tensor, so that a captured CUDA graph can change it."""

import torch


def orthogonal(update):
    """Brings all singular values of each matrix [N,a,b] near 1, by five Newton-Schulz steps."""
    x = update / (update.norm(dim=(1, 2), keepdim=True) + 1e-7)
    tall = x.shape[1] > x.shape[2]
    x = (x.mT if tall else x).to(torch.bfloat16 if x.is_cuda else torch.float32)
    for _ in range(5):
        square = x @ x.mT
        x = 3.4445 * x + (-4.7750 * square + 2.0315 * square @ square) @ x
    return (x.mT if tall else x).float()


class Muon:
    def __init__(self, named, rate, decay=0.01, momentum=0.95):
        shapes, rest = {}, []
        for name, p in named:
            wide = p.ndim >= 2 and min(p.shape[0], p[0].numel()) >= 24
            if wide and "label" not in name and "place" not in name and "table" not in name:
                shapes.setdefault((p.shape[0], p[0].numel()), []).append(p)
            else:
                rest.append(p)
        self.groups = list(shapes.values())
        self.buffers = [torch.zeros(len(group), *shape, device=rate.device) for shape, group in shapes.items()]
        self.decay, self.momentum, self.rate = decay, momentum, rate
        self.adam = torch.optim.AdamW(rest, lr=rate, betas=(0.9, 0.99), weight_decay=decay, fused=True,
                                      capturable=rate.is_cuda)

    @torch.no_grad()
    def step(self):
        self.adam.step()
        for group, buffer in zip(self.groups, self.buffers):
            slope = torch.stack([p.grad.flatten(1) for p in group])
            buffer.lerp_(slope, 1 - self.momentum)
            update = orthogonal(slope.lerp(buffer, self.momentum))
            update *= -self.rate * (0.2 * max(update.shape[1:]) ** 0.5)
            torch._foreach_mul_(group, 1 - self.rate * self.decay)
            torch._foreach_add_(group, [u.reshape(p.shape) for u, p in zip(update, group)])
