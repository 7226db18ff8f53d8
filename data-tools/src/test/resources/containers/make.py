"""Makes the files beside this one: what pyarrow, NumPy and safetensors write, for the readers to read.

python make.py        needs pyarrow 25, numpy 2, safetensors 0.8
"""

import json
import struct
import zlib

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from safetensors.numpy import save_file


def png(value):
    """A grey picture of 2 × 2 pixels."""

    def chunk(kind, data):
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    header = struct.pack(">IIBBBBB", 2, 2, 8, 0, 0, 0, 0)
    lines = bytes([0, value, value, 0, value, 255])
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(lines)) + chunk(b"IEND", b"")


def parquet(name, **options):
    image = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    names = ["tench, Tinca tinca", "goldfish"]
    features = {"image": {"_type": "Image"}, "label": {"names": names, "_type": "ClassLabel"}}
    table = pa.table(
        {
            "image": pa.array(
                [
                    {"bytes": png(10), "path": "n01440764_18_n01440764.JPEG"},
                    {"bytes": png(20), "path": "some/folder/fish.png"},
                    {"bytes": png(30), "path": "fish.png"},
                    {"bytes": png(40), "path": None},
                    None,
                    {"bytes": None, "path": "elsewhere.png"},
                    {"bytes": b"", "path": "empty.png"},
                    {"bytes": png(50), "path": "last.png"},
                ],
                type=image,
            ),
            "label": pa.array([0, 1, 1, 0, 0, 1, 1, -1], pa.int64()),
        }
    ).replace_schema_metadata({"huggingface": json.dumps({"info": {"features": features}})})
    pq.write_table(table, name, row_group_size=3, **options)


parquet("snappy.parquet")
parquet("zstd.parquet", compression="zstd", data_page_version="2.0", write_page_index=True)
parquet("gzip.parquet", compression="gzip", use_dictionary=False)

latents = (np.arange(2 * 3 * 2 * 2).reshape(2, 3, 2, 2) / 8 - 1).astype(np.float32)
np.save("float32.npy", latents)
np.save("float16.npy", latents.reshape(2, 12).astype(np.float16))
np.savez("stored.npz", latents=latents, labels=np.array([7, 3]))
np.savez_compressed("packed.npz", latents=latents)
np.save("pickle.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
np.save("fortran.npy", np.asfortranarray(latents))
np.save("big-endian.npy", latents.astype(">f4"))
save_file({"latents": latents, "labels": np.array([7, 3])}, "one.safetensors", metadata={"made": "here"})
save_file({"cat": latents[0], "dog": latents[1].astype(np.float32)}, "named.safetensors")
