"""What every export here does: a network to an ONNX file, an autoencoder to its two folders."""
import json

import onnx
import torch
from torch import nn


def write_json(file, fields):
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(fields, indent=2) + "\n")


def clean(model):
    """Leaves out what says where and from which lines of code a network was exported."""
    del model.metadata_props[:]
    del model.graph.metadata_props[:]
    model.doc_string = model.graph.doc_string = ""
    for entry in (*model.graph.node, *model.graph.initializer, *model.graph.input, *model.graph.output):
        entry.doc_string = ""
        del entry.metadata_props[:]
    del model.graph.value_info[:]
    return model


def export(network, inputs, output, free, file, external=False):
    """Writes a network.

    network: a module that answers one tensor
    inputs: name to example, with two rows where the batch is free, in the order of forward
    output: the name of the answer
    free: name to the axes that may have any extent; axis 0 is the batch
    file: such as transformer/model.onnx
    external: whether the weights go to a file beside it, as they must from 2 GiB on
    """
    rows = torch.export.Dim("batch_size")
    shapes = tuple(
        {axis: rows if axis == 0 else torch.export.Dim.DYNAMIC for axis in free.get(name, ())}
        for name in inputs
    )
    with torch.no_grad():
        program = torch.onnx.export(
            network.eval(), tuple(inputs.values()), dynamo=True, input_names=list(inputs),
            output_names=[output], dynamic_shapes=shapes, verbose=False)
    file.parent.mkdir(parents=True, exist_ok=True)
    model = clean(program.model_proto)
    if external:
        file.with_name(file.name + "_data").unlink(missing_ok=True)  # it would be appended to
        # Small tensors stay inside: ONNX Runtime reads shapes from them before it loads the rest.
        onnx.save_model(model, str(file), save_as_external_data=True, size_threshold=256,
                        location=file.name + "_data")
    else:
        onnx.save_model(model, str(file))


def autoencoder(folder, encoder, decoder, config, channels, size, dtype=torch.float32):
    """Writes vae_encoder/ and vae_decoder/, for pictures of any size.

    encoder: pictures [B, 3, H, W], in the range that the config says, to means, or means and
        logarithms of variances; it must not draw
    decoder: latents [B, C, h, w] to pictures
    config: with scaling_factor and block_out_channels, see docs/models.md
    size: of an example, in pixels
    """
    factor = 2 ** (len(config["block_out_channels"]) - 1)
    picture = torch.rand(2, 3, size, size, dtype=dtype)
    latent = torch.randn(2, channels, size // factor, size // factor, dtype=dtype)
    export(encoder, {"sample": picture}, "latent_parameters", {"sample": (0, 2, 3)},
           folder / "vae_encoder/model.onnx")
    export(decoder, {"latent_sample": latent}, "sample", {"latent_sample": (0, 2, 3)},
           folder / "vae_decoder/model.onnx")
    write_json(folder / "vae_encoder/config.json", config)


class KlEncoder(nn.Module):
    """The encoder of a diffusers AutoencoderKL, as far as the moments of its posterior."""

    def __init__(self, vae):
        super().__init__()
        self.encoder, self.quant = vae.encoder, vae.quant_conv

    def forward(self, sample):
        moments = self.encoder(sample)
        return moments if self.quant is None else self.quant(moments)


class KlDecoder(nn.Module):
    """The decoder of a diffusers AutoencoderKL."""

    def __init__(self, vae):
        super().__init__()
        self.decoder, self.quant = vae.decoder, vae.post_quant_conv

    def forward(self, latent_sample):
        return self.decoder(latent_sample if self.quant is None else self.quant(latent_sample))


def kl_config(vae, **more):
    """The fields of a diffusers AutoencoderKL that pictures and latents depend on."""
    known = ("block_out_channels", "latent_channels", "sample_size", "scaling_factor", "shift_factor",
             "latents_mean", "latents_std")
    fields = {name: vae.config[name] for name in known if vae.config.get(name) is not None}
    return {"_class_name": "AutoencoderKL", **fields, **more}
