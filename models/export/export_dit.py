"""Exports a class-conditional DiT of diffusers to the folder that SpellShield loads.

    pip install diffusers transformers onnx onnxscript
    python models/export/export_dit.py facebook/DiT-XL-2-256 dit-xl-2-256 [--half]

The folder functions are tried by try_exports.py with stand-ins for the networks. Loading from
diffusers itself (main) has not been run.
"""
import argparse
import pathlib

import torch
from torch import nn

from onnx_export import KlDecoder, KlEncoder, autoencoder, export, kl_config, write_json


class Transformer(nn.Module):
    """A DiTTransformer2DModel as a function of tensors."""

    def __init__(self, inner):
        super().__init__()
        self.inner = inner

    def forward(self, hidden_states, timestep, class_labels):
        return self.inner(hidden_states, timestep=timestep, class_labels=class_labels).sample


def write(folder, transformer, vae, scheduler, names, dtype=torch.float32):
    """Writes a pipeline.

    transformer, vae: with .config as in diffusers, in the dtype
    scheduler: the fields of its scheduler_config.json
    names: number of a class to its name; empty if it has none
    """
    config = transformer.config
    channels, size = config["in_channels"], config["sample_size"]
    write_json(folder / "model_index.json", {
        "_class_name": "DiTPipeline",
        "id2label": {str(number): name for number, name in names.items()},
    })
    write_json(folder / "scheduler/scheduler_config.json", scheduler)
    kept = ("sample_size", "patch_size", "in_channels", "out_channels", "num_embeds_ada_norm")
    write_json(folder / "transformer/config.json",
               {"_class_name": "DiTTransformer2DModel", **{name: config[name] for name in kept}})
    inputs = {
        "hidden_states": torch.randn(2, channels, size, size, dtype=dtype),
        "timestep": torch.tensor([500, 500]),
        "class_labels": torch.tensor([0, config["num_embeds_ada_norm"]]),  # the last means none
    }
    # External data, as DiT-XL in 32 bits is larger than the 2 GiB of one file.
    export(Transformer(transformer), inputs, "sample", {name: (0,) for name in inputs},
           folder / "transformer/model.onnx", external=True)
    autoencoder(folder, KlEncoder(vae), KlDecoder(vae), kl_config(vae), channels,
                size * 2 ** (len(vae.config["block_out_channels"]) - 1), dtype)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("model", help="a name on the Hub or a folder, such as facebook/DiT-XL-2-256")
    parser.add_argument("folder", type=pathlib.Path, help="where the ONNX pipeline goes")
    parser.add_argument("--half", action="store_true", help="16-bit weights")
    arguments = parser.parse_args()
    from diffusers import DiTPipeline

    dtype = torch.float16 if arguments.half else torch.float32
    pipeline = DiTPipeline.from_pretrained(arguments.model, torch_dtype=dtype)
    numbers = {number: name for name, number in pipeline.labels.items()}
    scheduler = {"_class_name": type(pipeline.scheduler).__name__, **pipeline.scheduler.config}
    write(arguments.folder, pipeline.transformer, pipeline.vae, scheduler, numbers, dtype)


if __name__ == "__main__":
    main()
