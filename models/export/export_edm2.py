"""Exports an EDM2 network to a folder denoiser/ that SpellShield loads.

    git clone https://github.com/NVlabs/edm2 && pip install diffusers onnx onnxscript
    PYTHONPATH=edm2 python models/export/export_edm2.py edm2-img512-s.pkl edm2-s

The folder functions are tried by try_exports.py with stand-ins for the networks. Loading a pickle
of EDM2 and its autoencoder (main) has not been run. Mind the licence of its weights.
"""
import argparse
import pathlib
import pickle

import torch
from torch import nn

from onnx_export import KlDecoder, KlEncoder, autoencoder, export, kl_config, write_json

# What EDM2 does to the latents of Stable Diffusion's autoencoder: (raw - mean) / std * 0.5.
STATISTICS = {
    "latents_mean": [5.81, 3.25, 0.12, -2.15],
    "latents_std": [4.17, 4.62, 3.71, 3.28],
    "scaling_factor": 0.5,
    "image_range": [0, 1],
}


class Denoiser(nn.Module):
    """EDM2's Precond, which scales for itself: x, sigma and one-hot labels to D(x, sigma)."""

    def __init__(self, inner):
        super().__init__()
        self.inner = inner

    def forward(self, x, sigma, class_labels):
        return self.inner(x, sigma, class_labels, force_fp32=True)


def write(folder, network, vae, names):
    """Writes a pipeline.

    network: with img_channels, img_resolution and label_dim, as EDM2's Precond
    vae: with .config as in diffusers
    names: number of a class to its name; empty if it has none
    """
    channels, size, labels = network.img_channels, network.img_resolution, network.label_dim
    write_json(folder / "model_index.json", {
        "_class_name": "DenoiserPipeline",
        "id2label": {str(number): name for number, name in names.items()},
    })
    inputs = {"x": torch.randn(2, channels, size, size), "sigma": torch.tensor([1.0, 1.0])}
    config = {
        "predicts": "x0",
        "latent_input": "x",
        "noise_input": "sigma",
        "noise_is": "sigma",
        "output": "D",
        "latent_shape": [channels, size, size],
        "sigma_min": 0.002,
        "sigma_max": 80,
        "rho": 7,
        "sampler": "heun",
        "steps": 32,
    }
    if labels:
        inputs["class_labels"] = torch.eye(labels)[:2]
        # No null_label: EDM2 drops no labels in training, and guides by a second network instead.
        config |= {"label_input": "class_labels", "label_form": "one_hot", "labels": labels}
    write_json(folder / "denoiser/config.json", config)
    export(Denoiser(network), inputs, "D", {name: (0,) for name in inputs},
           folder / "denoiser/model.onnx", external=True)
    autoencoder(folder, KlEncoder(vae), KlDecoder(vae), kl_config(vae) | STATISTICS, channels,
                size * 2 ** (len(vae.config["block_out_channels"]) - 1))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("pickle", type=pathlib.Path, help="a network of EDM2, such as a .pkl")
    parser.add_argument("folder", type=pathlib.Path, help="where the ONNX pipeline goes")
    arguments = parser.parse_args()
    from diffusers import AutoencoderKL

    with arguments.pickle.open("rb") as file:
        network = pickle.load(file)["ema"].eval()  # runs code from the file: take only your own
    vae = AutoencoderKL.from_pretrained("stabilityai/sd-vae-ft-mse")
    write(arguments.folder, network, vae, {})


if __name__ == "__main__":
    main()
