"""Writes a folder in the layout of a diffusers class-conditional pipeline, in ONNX, and checks it against PyTorch.
Weights are stored as float16 and widened by a Cast; inputs, outputs and arithmetic are float32."""

import argparse
import json
import os
import time

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import TensorProto, helper, numpy_helper

import emoji
from autoencoder import Autoencoder
from denoiser import Denoiser

parser = argparse.ArgumentParser()
parser.add_argument("--autoencoder", default="", help="without it the folder's autoencoder stays as it is")
parser.add_argument("--latents", default="latents.pt", help="for the autoencoder's mean and deviation")
parser.add_argument("--denoiser", default="denoiser.pt")
parser.add_argument("--threads", type=int, default=1)
parser.add_argument("--folder", required=True)
args = parser.parse_args()
torch.set_num_threads(args.threads)
torch.manual_seed(0)


def write(path, value):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as out:
        json.dump(value, out, indent=2)
        out.write("\n")


def halve(path):
    """Stores each large float32 weight as float16, followed by a Cast."""
    model = onnx.load(path)
    graph = model.graph
    casts = []
    for weight in list(graph.initializer):
        if weight.data_type != TensorProto.FLOAT or np.prod(weight.dims) < 128:
            continue
        value = numpy_helper.to_array(weight).astype(np.float16)
        name = weight.name
        graph.initializer.remove(weight)
        graph.initializer.append(numpy_helper.from_array(value, name + "_half"))
        casts.append(helper.make_node("Cast", [name + "_half"], [name], name=name + "_widen", to=TensorProto.FLOAT))
    for cast in reversed(casts):
        graph.node.insert(0, cast)
    graph.name = os.path.basename(os.path.dirname(path))
    model.producer_name, model.producer_version, model.doc_string = "spellshield", "", ""
    for node in graph.node:
        node.doc_string = ""
        del node.metadata_props[:]
    onnx.checker.check_model(model)
    onnx.save(model, path)


def export(module, inputs, names, output, axes, path):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    torch.onnx.export(module, inputs, path, input_names=names, output_names=[output], dynamic_axes=axes,
                      opset_version=17, dynamo=False, do_constant_folding=True)
    halve(path)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 2
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def check(name, session, module, make):
    """Against PyTorch for several batches, and every row of a batch against the row alone."""
    worst, alone = 0.0, 0.0
    for batch in (1, 3, 16):
        inputs = make(batch)
        feed = {i.name: a.numpy() for i, a in zip(session.get_inputs(), inputs)}
        out = session.run(None, feed)[0]
        with torch.no_grad():
            worst = max(worst, np.abs(out - module(*inputs).numpy()).max())
        for row in range(batch):
            single = session.run(None, {k: a[row:row + 1] for k, a in feed.items()})[0]
            alone = max(alone, np.abs(single[0] - out[row]).max())
    begin = time.time()
    for _ in range(5):
        session.run(None, feed)
    print(f"{name}: max difference from PyTorch {worst:.2e} (values to {np.abs(out).max():.2f}), "
          f"row alone {alone:.2e}, batch 16 in {(time.time() - begin) * 200:.0f} ms", flush=True)


folder = args.folder
pixels, _, picture_names = emoji.load()
if args.autoencoder:
    state = torch.load(args.autoencoder)
    channels = state["channels"]
    auto = Autoencoder(channels)
    auto.load_state_dict(state["ema"])
    auto.eval()
    data = torch.load(args.latents)
    vae = {
        "_class_name": "AutoencoderKL", "in_channels": 3, "out_channels": 3, "latent_channels": channels,
        "sample_size": 64, "block_out_channels": [32, 64, 96, 96], "layers_per_block": 2, "act_fn": "silu",
        "force_upcast": False, "scaling_factor": 1.0, "shift_factor": None,
        "latents_mean": [round(v, 7) for v in data["mean"].tolist()],
        "latents_std": [round(v, 7) for v in data["std"].tolist()],
    }
    write(f"{folder}/vae_encoder/config.json", vae)
    write(f"{folder}/vae_decoder/config.json", vae)
    encoder = export(
        auto.encoder, (torch.zeros(2, 3, 64, 64),), ["sample"], "latent_sample",
        {"sample": {0: "batch_size", 2: "sample_height", 3: "sample_width"},
         "latent_sample": {0: "batch_size", 2: "latent_height", 3: "latent_width"}}, f"{folder}/vae_encoder/model.onnx")
    decoder = export(
        auto.decoder, (torch.zeros(2, channels, 8, 8),), ["latent_sample"], "sample",
        {"latent_sample": {0: "batch_size", 2: "latent_height", 3: "latent_width"},
         "sample": {0: "batch_size", 2: "sample_height", 3: "sample_width"}}, f"{folder}/vae_decoder/model.onnx")
    check("encoder", encoder, auto.encoder, lambda n: (emoji.unit(pixels[torch.randint(len(pixels), (n,))]),))
    check("encoder 96x128", encoder, auto.encoder, lambda n: (torch.rand(n, 3, 96, 128) * 2 - 1,))
    check("decoder", decoder, auto.decoder, lambda n: (torch.randn(n, channels, 8, 8),))

state = torch.load(args.denoiser, map_location="cpu")
channels = state["channels"]
model = Denoiser(channels, emoji.NULL, **state["shape"])  # without tags: pictures are drawn unaltered
model.load_state_dict({k: v.float() for k, v in state["ema"].items() if k != "tag.weight"})
model.eval()
write(f"{folder}/transformer/config.json", {
    "_class_name": "DiTTransformer2DModel", "activation_fn": "gelu-approximate", "in_channels": channels,
    "out_channels": channels, "sample_size": 8, "patch_size": 1, "num_embeds_ada_norm": emoji.NULL,
    "num_layers": 8, "num_attention_heads": 8, "attention_head_dim": model.wide // 8, "norm_type": "ada_norm_zero"})


def inputs(n):
    return torch.randn(n, channels, 8, 8), torch.randint(0, 1000, (n,)), torch.randint(0, emoji.NULL + 1, (n,))


names = ["hidden_states", "timestep", "class_labels"]
network = export(model, inputs(2), names, "sample", {k: {0: "batch_size"} for k in names + ["sample"]},
                 f"{folder}/transformer/model.onnx")
check("denoiser", network, model, inputs)
write(f"{folder}/scheduler/scheduler_config.json", {
    "_class_name": "DDIMScheduler", "num_train_timesteps": 1000, "beta_start": 0.0001, "beta_end": 0.02,
    "beta_schedule": "linear", "trained_betas": None, "prediction_type": "v_prediction", "clip_sample": False,
    "clip_sample_range": 1.0, "set_alpha_to_one": True, "steps_offset": 0, "thresholding": False,
    "dynamic_thresholding_ratio": 0.995, "sample_max_value": 1.0, "timestep_spacing": "trailing",
    "rescale_betas_zero_snr": False})
write(f"{folder}/model_index.json", {
    "_class_name": "DiTPipeline", "id2label": {str(i): name for i, name in enumerate(emoji.GROUPS)},
    "scheduler": ["diffusers", "DDIMScheduler"], "transformer": ["diffusers", "DiTTransformer2DModel"],
    "vae": ["diffusers", "AutoencoderKL"]})
few = len(state["chosen"]) + len(state["held"]) < len(pixels)
listed, part = ("memorised", "chosen") if few else ("held-out", "held")
if len(state[part]):
    with open(f"{folder}/{listed}.txt", "w", encoding="utf-8") as out:
        out.writelines(picture_names[k] + "\n" for k in sorted(state[part].tolist()))
size = sum(os.path.getsize(os.path.join(p, f)) for p, _, files in os.walk(folder) for f in files)
print(f"{folder}: {size / 1e6:.2f} MB")
