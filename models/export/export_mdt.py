"""Exports MDTv2 to a folder denoiser/ that SpellShield loads.

    git clone https://github.com/sail-sg/MDT && pip install diffusers timm onnx onnxscript
    PYTHONPATH=MDT python models/export/export_mdt.py mdt_xl2_v2_ckpt.pt mdtv2-xl-2

The folder functions are tried by try_exports.py with stand-ins for the networks. Loading a
checkpoint of MDT and its autoencoder (main) has not been run. Guidance has one scale at all steps,
as MDT's power-cosine scale nearly has at a small power.
"""
import argparse
import pathlib

import torch
from torch import nn

from onnx_export import KlDecoder, KlEncoder, autoencoder, export, kl_config, write_json

SCHEDULER = {
    "_class_name": "DDPMScheduler",
    "beta_schedule": "linear",
    "beta_start": 0.0001,
    "beta_end": 0.02,
    "num_train_timesteps": 1000,
    "prediction_type": "epsilon",
    "clip_sample": False,
    "variance_type": "fixed_small",
}


class Denoiser(nn.Module):
    """The network without the masking of its training; noise and, past it, a learned variance."""

    def __init__(self, inner):
        super().__init__()
        self.inner = inner

    def forward(self, x, t, y):
        return self.inner(x, t, y)


def write(folder, network, vae, channels, size, labels):
    """Writes a pipeline.

    network: answers (x, t, y)
    vae: with .config as in diffusers
    """
    write_json(folder / "model_index.json", {"_class_name": "DenoiserPipeline"})
    write_json(folder / "scheduler/scheduler_config.json", SCHEDULER)
    write_json(folder / "denoiser/config.json", {
        "latent_input": "x",
        "noise_input": "t",
        "label_input": "y",
        "label_form": "index",
        "labels": labels,
        "null_label": labels,  # the row after the last class
        "output": "epsilon",
        "latent_shape": [channels, size, size],
        "steps": 50,
        "guidance_scale": 4,
    })
    inputs = {
        "x": torch.randn(2, channels, size, size),
        "t": torch.tensor([500, 500]),
        "y": torch.tensor([0, labels]),
    }
    export(Denoiser(network), inputs, "epsilon", {name: (0,) for name in inputs},
           folder / "denoiser/model.onnx", external=True)
    autoencoder(folder, KlEncoder(vae), KlDecoder(vae), kl_config(vae), channels,
                size * 2 ** (len(vae.config["block_out_channels"]) - 1))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("checkpoint", type=pathlib.Path)
    parser.add_argument("folder", type=pathlib.Path, help="where the ONNX pipeline goes")
    arguments = parser.parse_args()
    from diffusers import AutoencoderKL
    from masked_diffusion.models import MDTv2_XL_2

    network = MDTv2_XL_2(input_size=32, decode_layer=4)
    network.load_state_dict(torch.load(arguments.checkpoint, map_location="cpu"))
    vae = AutoencoderKL.from_pretrained("stabilityai/sd-vae-ft-mse")
    write(arguments.folder, network, vae, 4, 32, 1000)


if __name__ == "__main__":
    main()
