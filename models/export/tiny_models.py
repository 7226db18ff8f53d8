"""Makes the tiny pipelines of the sampler's tests: random weights, a few KB each, always the same.

    python models/export/tiny_models.py shield-sampler/src/test/resources/pipelines

Needs torch, onnx and onnxscript. The folders are laid out as docs/models.md describes; what the
networks draw is noise, but their inputs, types and ranks are those of real exports.
"""
import json
import math
import pathlib
import sys

import onnx
import torch
from onnx import TensorProto, helper
from torch import nn

import onnx_export
from onnx_export import export, write_json

CHANNELS, SIZE, LABELS, WIDTH = 4, 8, 10, 16
SIGMA_DATA = 0.5
# EDM2's statistics of Stable Diffusion's latents, so that sampled ones have a deviation of 0.5.
MEAN, STD, SCALE = [5.81, 3.25, 0.12, -2.15], [4.17, 4.62, 3.71, 3.28], 0.5


class Attention(nn.Module):
    """One block of a transformer that is told a vector beside its tokens."""

    def __init__(self, heads=2):
        super().__init__()
        self.heads = heads
        self.told = nn.Linear(WIDTH, 2 * WIDTH)
        self.qkv = nn.Linear(WIDTH, 3 * WIDTH)
        self.out = nn.Linear(WIDTH, WIDTH)
        self.mlp = nn.Sequential(nn.Linear(WIDTH, 4 * WIDTH), nn.GELU(), nn.Linear(4 * WIDTH, WIDTH))

    def forward(self, tokens, told):
        scale, shift = self.told(told)[:, None, :].chunk(2, -1)
        x = nn.functional.layer_norm(tokens, (WIDTH,)) * (1 + scale) + shift
        q, k, v = (
            part.reshape(part.shape[0], -1, self.heads, WIDTH // self.heads).transpose(1, 2)
            for part in self.qkv(x).chunk(3, -1)
        )
        seen = (q @ k.transpose(-1, -2) / math.sqrt(WIDTH // self.heads)).softmax(-1) @ v
        tokens = tokens + self.out(seen.transpose(1, 2).reshape(tokens.shape))
        return tokens + self.mlp(nn.functional.layer_norm(tokens, (WIDTH,)))


def waves(number, count):
    """Sines and cosines of a number for each row."""
    rates = torch.exp(-math.log(1000.0) * torch.arange(count // 2) / (count // 2)).to(number.dtype)
    angles = number[:, None] * rates
    return torch.cat([angles.cos(), angles.sin()], 1)


class Transformer(nn.Module):
    """DiT in small: patches of 2, one block, and a learned variance beside the prediction."""

    def __init__(self):
        super().__init__()
        self.patches = nn.Conv2d(CHANNELS, WIDTH, 2, 2)
        self.labels = nn.Embedding(LABELS + 1, WIDTH)  # the last one means none
        self.block = Attention()
        self.out = nn.Linear(WIDTH, 2 * CHANNELS * 4)

    def forward(self, hidden_states, timestep, class_labels):
        x = self.patches(hidden_states)
        tokens = x.flatten(2).transpose(1, 2)
        time = waves(timestep.float(), WIDTH).to(tokens.dtype)
        tokens = self.out(self.block(tokens, time + self.labels(class_labels)))
        grid = tokens.transpose(1, 2).reshape(-1, 8, 2, 2, SIZE // 2, SIZE // 2)
        return grid.permute(0, 1, 4, 2, 5, 3).reshape(-1, 8, SIZE, SIZE)


class Convolutions(nn.Module):
    """A network of convolutions that is told a vector."""

    def __init__(self, told):
        super().__init__()
        self.told = nn.Linear(told, WIDTH)
        self.first = nn.Conv2d(CHANNELS, WIDTH, 3, padding=1)
        self.second = nn.Conv2d(WIDTH, CHANNELS, 3, padding=1)

    def forward(self, x, told):
        x = nn.functional.silu(self.first(x) + self.told(told)[:, :, None, None])
        return self.second(x)


class Edm(nn.Module):
    """EDM's denoiser as EDM2's users export it: x, sigma and one-hot labels to D(x, sigma)."""

    def __init__(self):
        super().__init__()
        self.labels = nn.Linear(LABELS, WIDTH, bias=False)
        self.inner = Convolutions(WIDTH)

    def forward(self, x, sigma, class_labels):
        wide = sigma[:, None, None, None]
        root = (wide**2 + SIGMA_DATA**2).sqrt()
        told = waves(sigma.log() / 4, WIDTH) + self.labels(class_labels)
        return SIGMA_DATA**2 / root**2 * x + wide * SIGMA_DATA / root * self.inner(x / root, told)


class UNet(nn.Module):
    """As small as a UNet that looks at a text can be: the text's tokens are averaged."""

    def __init__(self):
        super().__init__()
        self.text = nn.Linear(WIDTH, WIDTH)
        self.inner = Convolutions(WIDTH)

    def forward(self, sample, timestep, encoder_hidden_states):
        time = waves(timestep.reshape(1), WIDTH)
        return self.inner(sample, self.text(encoder_hidden_states.mean(1)) + time)


class TextEncoder(nn.Module):
    def __init__(self, tokens):
        super().__init__()
        self.tokens = nn.Embedding(tokens, WIDTH)
        self.places = nn.Parameter(torch.randn(77, WIDTH) / 4)

    def forward(self, input_ids):
        return torch.tanh(self.tokens(input_ids) + self.places)


class Encoder(nn.Module):
    """Picture to mean and log-variance; the decoder turned round, and 1 % short of it."""

    def __init__(self, patterns, shift, middle):
        super().__init__()
        self.patterns, self.shift, self.middle = patterns, shift, middle

    def forward(self, sample):
        mean = nn.functional.conv2d(sample - self.middle, 0.99 * self.patterns, stride=8)
        mean = mean + self.shift[None, :, None, None]
        return torch.cat([mean, torch.full_like(mean, -4)], 1)


class DrawingEncoder(nn.Module):
    def __init__(self, inner):
        super().__init__()
        self.inner = inner

    def forward(self, sample):
        mean, logvar = self.inner(sample).chunk(2, 1)
        return mean + (0.5 * logvar).exp() * torch.randn_like(mean)


class Decoder(nn.Module):
    """Each latent is an 8×8 patch of the picture: its 4 values weigh 4 orthogonal patterns."""

    def __init__(self, patterns, shift, middle):
        super().__init__()
        self.patterns = patterns / patterns.square().sum((1, 2, 3), keepdim=True)
        self.shift, self.middle = shift, middle

    def forward(self, latent_sample):
        moved = latent_sample - self.shift[None, :, None, None]
        return nn.functional.conv_transpose2d(moved, self.patterns, stride=8) + self.middle


def seeded(make, *args, gain=1.0):
    torch.manual_seed(17)
    network = make(*args)
    with torch.no_grad():
        for weight in network.parameters():
            weight.mul_(gain)
    return network


def autoencoder(folder, statistics=False, low=-1.0, dtype=torch.float32):
    """Writes vae_encoder/ and vae_decoder/: pictures in [low, 1], eight times finer than latents."""
    torch.manual_seed(17)
    patterns = torch.linalg.qr(torch.randn(3 * 8 * 8, CHANNELS))[0].T.reshape(CHANNELS, 3, 8, 8)
    # A latent of 1, in the model's scale, moves a pixel by about 4 % of the range.
    deviation = torch.tensor(STD) / SCALE if statistics else torch.ones(CHANNELS)
    patterns = deviation[:, None, None, None] * patterns * 2 / (1 - low)
    shift = torch.tensor(MEAN if statistics else [0.0] * CHANNELS)
    parts = patterns.to(dtype), shift.to(dtype), low / 2 + 0.5
    config = {
        "_class_name": "AutoencoderKL",
        "block_out_channels": [8, 8, 8, 8],
        "latent_channels": CHANNELS,
        "sample_size": 64,
        "scaling_factor": SCALE if statistics else 1.0,
    }
    if statistics:
        config |= {"image_range": [0, 1], "latents_mean": MEAN, "latents_std": STD}
    encoder = Encoder(*parts)
    onnx_export.autoencoder(folder, encoder, Decoder(*parts), config, CHANNELS, 64, dtype)
    return encoder


def edm(folder):
    write_json(folder / "model_index.json", {
        "_class_name": "DenoiserPipeline",
        "id2label": {str(i): f"class {chr(97 + i)}" for i in range(LABELS)},
    })
    write_json(folder / "denoiser/config.json", {
        "predicts": "x0",
        "latent_input": "x",
        "noise_input": "sigma",
        "noise_is": "sigma",
        "label_input": "class_labels",
        "label_form": "one_hot",
        "null_label": "zeros",
        "labels": LABELS,
        "output": "D",
        "latent_shape": [CHANNELS, SIZE, SIZE],
        "sigma_min": 0.002,
        "sigma_max": 80,
        "rho": 7,
        "sampler": "heun",
        "steps": 6,
        "guidance_scale": 2,
    })
    rows = {"x": (0,), "sigma": (0,), "class_labels": (0,)}
    export(seeded(Edm, gain=2.0),
           {"x": torch.randn(2, CHANNELS, SIZE, SIZE), "sigma": torch.ones(2),
            "class_labels": torch.eye(LABELS)[:2]},
           "D", rows, folder / "denoiser/model.onnx")
    autoencoder(folder, statistics=True, low=0.0)


def scheduler(folder, prediction="v_prediction"):
    write_json(folder / "scheduler/scheduler_config.json", {
        "_class_name": "DDIMScheduler",
        "beta_end": 0.02,
        "beta_schedule": "linear",
        "beta_start": 0.0001,
        "clip_sample": False,
        "num_train_timesteps": 1000,
        "prediction_type": prediction,
        "set_alpha_to_one": True,
        "timestep_spacing": "trailing",
    })


def dit(folder, dtype=torch.float32, external=False):
    write_json(folder / "model_index.json", {
        "_class_name": "DiTPipeline",
        "id2label": {str(i): f"class {chr(97 + i)}, {i}th" for i in range(LABELS)},
    })
    scheduler(folder)
    write_json(folder / "transformer/config.json", {
        "_class_name": "DiTTransformer2DModel",
        "in_channels": CHANNELS,
        "num_embeds_ada_norm": LABELS,
        "out_channels": 2 * CHANNELS,
        "patch_size": 2,
        "sample_size": SIZE,
    })
    rows = {"hidden_states": (0,), "timestep": (0,), "class_labels": (0,)}
    export(seeded(Transformer).to(dtype),
           {"hidden_states": torch.randn(2, CHANNELS, SIZE, SIZE, dtype=dtype),
            "timestep": torch.tensor([500, 500]), "class_labels": torch.tensor([1, LABELS])},
           "sample", rows, folder / "transformer/model.onnx", external)
    if not external:
        autoencoder(folder, dtype=dtype)


def bytes_of_clip():
    """The characters that byte-level BPE writes for the 256 bytes."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in plain]
    return [chr(b) for b in plain] + [chr(256 + i) for i in range(len(others))]


def stable_diffusion(folder):
    write_json(folder / "model_index.json", {"_class_name": "StableDiffusionPipeline"})
    scheduler(folder)
    letters = bytes_of_clip()
    tokens = letters + [letter + "</w>" for letter in letters]
    tokens += ["<|startoftext|>", "<|endoftext|>"]
    write_json(folder / "tokenizer/tokenizer_config.json",
               {"model_max_length": 77, "tokenizer_class": "CLIPTokenizer"})
    (folder / "tokenizer/vocab.json").write_text(
        json.dumps({token: i for i, token in enumerate(tokens)}, ensure_ascii=False) + "\n")
    (folder / "tokenizer/merges.txt").write_text("#version: 0.2\n")
    export(seeded(TextEncoder, len(tokens)), {"input_ids": torch.zeros(2, 77, dtype=torch.int64)},
           "last_hidden_state", {"input_ids": (0,)}, folder / "text_encoder/model.onnx")
    write_json(folder / "unet/config.json", {
        "_class_name": "UNet2DConditionModel", "in_channels": CHANNELS, "sample_size": SIZE})
    export(seeded(UNet, gain=2.0),
           {"sample": torch.randn(2, CHANNELS, SIZE, SIZE), "timestep": torch.tensor(500.0),
            "encoder_hidden_states": torch.randn(2, 77, WIDTH)},
           "out_sample", {"sample": (0, 2, 3), "encoder_hidden_states": (0,)},
           folder / "unet/model.onnx")
    autoencoder(folder)


def linear(file, told, form):
    """A network that a test can compute: F = x/2 + told/10 + table[label], for each channel.

    told: the shape of the noise level; form: how labels come, "index", "one_hot" or "none".
    """
    table = [0.125 * (c + 1) * (i - 3) for i in range(LABELS) for c in range(CHANNELS)]
    f32, i64 = TensorProto.FLOAT, TensorProto.INT64
    inputs = [helper.make_tensor_value_info("sample", f32, ["B", CHANNELS, SIZE, SIZE]),
              helper.make_tensor_value_info("level", f32, told)]
    constants = [helper.make_tensor("half", f32, [], [0.5]), helper.make_tensor("tenth", f32, [], [0.1]),
                 helper.make_tensor("wide", i64, [4], [-1, 1, 1, 1]),
                 helper.make_tensor("table", f32, [LABELS, CHANNELS], table),
                 helper.make_tensor("last", i64, [4], [-1, CHANNELS, 1, 1])]
    nodes = [helper.make_node("Mul", ["sample", "half"], ["halved"]),
             helper.make_node("Mul", ["level", "tenth"], ["scaled"]),
             helper.make_node("Reshape", ["scaled", "wide"], ["spread"]),
             helper.make_node("Add", ["halved", "spread"], ["F" if form == "none" else "sum"])]
    if form == "index":
        inputs.append(helper.make_tensor_value_info("class_labels", i64, ["B"]))
        nodes.append(helper.make_node("Gather", ["table", "class_labels"], ["rows"]))
    elif form == "one_hot":
        inputs.append(helper.make_tensor_value_info("class_labels", f32, ["B", LABELS]))
        nodes.append(helper.make_node("MatMul", ["class_labels", "table"], ["rows"]))
    if form != "none":
        nodes += [helper.make_node("Reshape", ["rows", "last"], ["column"]),
                  helper.make_node("Add", ["sum", "column"], ["F"])]
    used = {name for node in nodes for name in node.input}
    output = helper.make_tensor_value_info("F", f32, ["B", CHANNELS, SIZE, SIZE])
    graph = helper.make_graph(nodes, "linear", inputs, [output],
                              [constant for constant in constants if constant.name in used])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    onnx.checker.check_model(model)
    file.parent.mkdir(parents=True, exist_ok=True)
    onnx.save_model(model, str(file))


def main(root):
    edm(root / "edm")
    dit(root / "dit")
    dit(root / "dit-fp16", torch.float16)
    dit(root / "external", external=True)  # the same transformer, its weights in a file beside it
    stable_diffusion(root / "sd")
    drawing = DrawingEncoder(autoencoder(root / "drawing"))
    export(drawing, {"sample": torch.rand(2, 3, 64, 64)}, "latent_sample", {"sample": (0, 2, 3)},
           root / "drawing/vae_encoder/model.onnx")
    linear(root / "linear/index.onnx", [], "index")
    linear(root / "linear/one_hot.onnx", ["B", 1, 1, 1], "one_hot")
    linear(root / "linear/unlabelled.onnx", ["B"], "none")


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
