"""Tries what the exports write, with small stand-ins for the networks: each folder's networks must
answer what the stand-ins answer.

    python models/export/try_exports.py FOLDER

Needs torch, onnx, onnxscript and onnxruntime. It says nothing about the real networks' own layers.
"""
import pathlib
import sys

import numpy
import onnxruntime
import torch
from torch import nn

import export_dit
import export_edm2
import export_mdt


class Config(dict):
    """A config as diffusers has it."""


class Answer:
    def __init__(self, sample):
        self.sample = sample


class Vae(nn.Module):
    def __init__(self):
        super().__init__()
        self.config = Config(block_out_channels=(8, 8, 8, 8), latent_channels=4, sample_size=64,
                             scaling_factor=0.18215, shift_factor=None, latents_mean=None)
        self.encoder = nn.Sequential(nn.Conv2d(3, 8, 8, 8), nn.SiLU(), nn.Conv2d(8, 8, 3, padding=1))
        self.quant_conv = nn.Conv2d(8, 8, 1)
        self.post_quant_conv = nn.Conv2d(4, 4, 1)
        self.decoder = nn.Sequential(nn.Upsample(scale_factor=8.0), nn.Conv2d(4, 3, 3, padding=1))


class Labelled(nn.Module):
    """Latents, a number for each row and a label in, channels out."""

    def __init__(self, rows, channels):
        super().__init__()
        self.rows = nn.Embedding(rows, 8)
        self.first, self.last = nn.Conv2d(4, 8, 3, padding=1), nn.Conv2d(8, channels, 3, padding=1)

    def forward(self, x, number, told):
        wave = torch.sin(number.float())[:, None, None, None]
        return self.last(nn.functional.silu(self.first(x) + told[:, :, None, None] + wave))


class Dit(Labelled):
    def __init__(self):
        super().__init__(11, 8)
        self.config = Config(sample_size=8, patch_size=2, in_channels=4, out_channels=8,
                             num_embeds_ada_norm=10, unknown=1)

    def forward(self, hidden_states, timestep, class_labels):
        return Answer(super().forward(hidden_states, timestep, self.rows(class_labels)))


class Edm2(Labelled):
    img_channels, img_resolution, label_dim = 4, 8, 10

    def __init__(self):
        super().__init__(10, 4)

    def forward(self, x, sigma, class_labels, force_fp32=False):
        return super().forward(x, sigma.log() / 4, class_labels @ self.rows.weight)


class Mdt(Labelled):
    def __init__(self):
        super().__init__(11, 8)

    def forward(self, x, t, y, enable_mask=False):
        return super().forward(x, t, self.rows(y))


def require_equal(file, *inputs, expected):
    session = onnxruntime.InferenceSession(str(file))
    given = {port.name: value.numpy() for port, value in zip(session.get_inputs(), inputs)}
    answer = session.run(None, given)[0]
    difference = numpy.abs(answer - expected.detach().numpy()).max()
    print(f"{file}: {[(port.name, port.type, port.shape) for port in session.get_inputs()]},"
          f" off by {difference:.1e}")
    if not difference < 1e-4:
        raise SystemExit(f"{file} answers something else")


def main(root):
    torch.manual_seed(1)
    vae, x, labels = Vae().eval(), torch.randn(3, 4, 8, 8), torch.tensor([1, 9, 5])
    times, sigmas = torch.tensor([7, 7, 7]), torch.tensor([0.5, 3.0, 60.0])

    dit = Dit().eval()
    export_dit.write(root / "dit", dit, vae, {"_class_name": "DDIMScheduler", "clip_sample": False},
                     {0: "cat", 9: "dog"})
    require_equal(root / "dit/transformer/model.onnx", x, times, labels,
                  expected=dit(x, times, labels).sample)

    edm2 = Edm2().eval()
    export_edm2.write(root / "edm2", edm2, vae, {})
    one_hot = torch.eye(10)[labels]
    require_equal(root / "edm2/denoiser/model.onnx", x, sigmas, one_hot,
                  expected=edm2(x, sigmas, one_hot))

    mdt = Mdt().eval()
    export_mdt.write(root / "mdt", mdt, vae, 4, 8, 10)
    require_equal(root / "mdt/denoiser/model.onnx", x, times, labels, expected=mdt(x, times, labels))

    pictures, latents = torch.rand(3, 3, 40, 64), torch.randn(3, 4, 5, 8)
    for name in ("dit", "edm2", "mdt"):
        require_equal(root / name / "vae_encoder/model.onnx", pictures,
                      expected=vae.quant_conv(vae.encoder(pictures)))
        require_equal(root / name / "vae_decoder/model.onnx", latents,
                      expected=vae.decoder(vae.post_quant_conv(latents)))


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
