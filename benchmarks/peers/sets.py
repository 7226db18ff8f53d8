"""The latents and queries of a cache that MakeLatents filled, as arrays."""

import os

import numpy as np

DIM = 2048
STEPS = 32
TRAJECTORIES = 16
REGIMES = {"early": (0, 7), "mid": (8, 14), "late": (14, 32)}
HEADER = 64  # bytes before the rows of a shard
ROW16, ROW32 = 2 * DIM + 8, 4 * DIM + 8  # bytes of a row: values, error, checksum


def shards(folder, dtype, row_bytes):
    """Yields the shards of a set of latents as arrays [n, DIM], mapped."""
    for name in sorted(os.listdir(folder)):
        if name.startswith("latents."):
            raw = np.memmap(os.path.join(folder, name), np.uint8, "r", HEADER)
            table = raw.reshape(-1, row_bytes)
            yield table[:, : DIM * np.dtype(dtype).itemsize].view(dtype)


def float32_rows(folder):
    return np.concatenate([np.asarray(shard) for shard in shards(folder, np.float32, ROW32)])


def of_regime(rows, regime):
    """The rows of a regime's queries, step by step, as BenchmarkSet.queries has them."""
    low, high = REGIMES[regime]
    return rows[[t * STEPS + s for s in range(low, high) for t in range(TRAJECTORIES)]]


class Latents:
    """The first latents of a cache in their principal axes, float32, and the queries turned alike.

    Panorama's bounds need the axes; a turn changes no distance but by rounding.
    """

    def __init__(self, cache, count):
        base = float32_rows(os.path.join(cache, "base"))
        mean = base.mean(axis=0, dtype=np.float64)
        centred = (base - mean).astype(np.float32)
        _, vectors = np.linalg.eigh((centred.T @ centred).astype(np.float64) / len(centred))
        self.mean = mean.astype(np.float32)
        self.turn = np.ascontiguousarray(vectors[:, ::-1].astype(np.float32))
        self.rows = self._rotated(cache, count)
        self.all_queries = (float32_rows(os.path.join(cache, "queries")) - self.mean) @ self.turn

    def queries(self, regime):
        return np.ascontiguousarray(of_regime(self.all_queries, regime))

    def _rotated(self, cache, count):
        # The axes are those of the base, so the rows of a larger set begin with those of a smaller.
        sizes = [int(n[8:-4]) for n in os.listdir(cache) if n.startswith("rotated-") and n.endswith(".f32")]
        size = min((s for s in sizes if s >= count), default=0)
        if not size:
            size = count
            self._write(cache, os.path.join(cache, f"rotated-{count}.f32"), count)
        path = os.path.join(cache, f"rotated-{size}.f32")
        return np.memmap(path, np.float32, "r", shape=(size, DIM))[:count]

    def _write(self, cache, path, count):
        out = np.memmap(path + ".pending", np.float32, "w+", shape=(count, DIM))
        at = 0
        for shard in shards(os.path.join(cache, "latents"), np.float16, ROW16):
            for start in range(0, len(shard), 20000):
                part = shard[start : start + 20000][: count - at].astype(np.float32)
                out[at : at + len(part)] = (part - self.mean) @ self.turn
                at += len(part)
        out.flush()
        os.rename(path + ".pending", path)


def heads(cache, name, count):
    """The heads of sketches that `Stopwatch` wrote, [n, h + 1]."""
    rows = np.fromfile(os.path.join(cache, f"{name}-{count}"), np.float32)
    return rows.reshape(count if name == "heads" else TRAJECTORIES * STEPS, -1)
