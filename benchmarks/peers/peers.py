"""Compares the searches with others on the same latents, taking turns in one run.

    benchmarks/peers/run.sh CACHE COUNT [ROUNDS]

CACHE is what MakeLatents filled. Ours runs in two JVMs (one thread, two threads) that answer line by
line; Faiss runs in this process. Prints a table in Markdown; figures are milliseconds a query,
medians over the rounds.
"""

import json
import os
import statistics
import subprocess
import sys
import time

import faiss
import numpy as np

DIM = 2048
STEPS = 32
TRAJECTORIES = 16
REGIMES = {"early": (0, 7), "mid": (8, 14), "late": (14, 32)}
HEADER = 64  # bytes before the rows of a shard


def rows(folder, dtype, row_bytes):
    """Yields the shards of a set of latents as arrays [n, DIM]."""
    for name in sorted(os.listdir(folder)):
        if name.startswith("latents."):
            raw = np.memmap(os.path.join(folder, name), np.uint8, "r", HEADER)
            table = raw.reshape(-1, row_bytes)
            yield table[:, : DIM * np.dtype(dtype).itemsize].view(dtype)


def rotated(cache, count):
    """Returns the latents in their principal axes, float32: what Panorama's bounds need."""
    path = os.path.join(cache, f"rotated-{count}.f32")
    base = np.concatenate([np.asarray(s) for s in rows(os.path.join(cache, "base"), np.float32, 8200)])
    mean = base.mean(axis=0, dtype=np.float64)
    centred = (base - mean).astype(np.float32)
    _, vectors = np.linalg.eigh((centred.T @ centred).astype(np.float64) / len(centred))
    turn = np.ascontiguousarray(vectors[:, ::-1].astype(np.float32))
    mean = mean.astype(np.float32)
    if not os.path.exists(path):
        out = np.memmap(path + ".pending", np.float32, "w+", shape=(count, DIM))
        at = 0
        for shard in rows(os.path.join(cache, "latents"), np.float16, 4104):
            for start in range(0, len(shard), 20000):
                part = shard[start : start + 20000][: count - at].astype(np.float32)
                out[at : at + len(part)] = (part - mean) @ turn
                at += len(part)
        out.flush()
        os.rename(path + ".pending", path)
    return np.memmap(path, np.float32, "r", shape=(count, DIM)), mean, turn


class Ours:
    """A JVM that searches when told to."""

    def __init__(self, cache, count, threads, options=()):
        here = os.path.dirname(os.path.abspath(__file__))
        target = os.environ.get("SHIELD_BENCHMARKS", os.path.join(here, "..", "target"))
        java = os.path.join(os.environ["JAVA_HOME"], "bin", "java")
        command = [
            java,
            "-Xmx4g",
            f"-Djava.util.concurrent.ForkJoinPool.common.parallelism={threads - 1}",
            "--enable-native-access=ALL-UNNAMED",
            *(options or ["--add-modules=jdk.incubator.vector"]),
            "-cp",
            f"{target}/classes:{target}/lib/*",
            "spellshield.benchmarks.Stopwatch",
            cache,
            str(count),
        ]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        self.about = json.loads(self.process.stdout.readline())

    def ask(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())


def queries(cache, mean, turn, regime):
    all_rows = np.concatenate(
        [np.asarray(s) for s in rows(os.path.join(cache, "queries"), np.float32, 8200)]
    )
    low, high = REGIMES[regime]
    index = [t * STEPS + s for s in range(low, high) for t in range(TRAJECTORIES)]
    return np.ascontiguousarray((all_rows[index] - mean) @ turn)


def timed(index, asked, radius, batch):
    """Milliseconds a query and the pairs found."""
    pairs = 0
    start = time.perf_counter()
    for at in range(0, len(asked) - batch + 1, batch):
        limits, _, _ = index.range_search(asked[at : at + batch], radius * radius)
        pairs += int(limits[-1])
    done = len(asked) // batch * batch
    return (time.perf_counter() - start) * 1e3 / done, pairs


def fill(index, latents):
    for at in range(0, len(latents), 50000):
        index.add(np.ascontiguousarray(latents[at : at + 50000]))
    return index


def main():
    cache, count = sys.argv[1], int(sys.argv[2])
    rounds = int(sys.argv[3]) if len(sys.argv) > 3 else 5
    latents, mean, turn = rotated(cache, count)
    one, two = Ours(cache, count, 1), Ours(cache, count, 2)
    typical = one.about["typicalDistance"]
    print(f"{count} latents, typical distance {typical:.3f}, faiss {faiss.__version__}", flush=True)
    late = queries(cache, mean, turn, "late")
    shares = [0.2, 0.3, 0.4]
    for share in shares:
        for ours in (one, two):
            ours.ask(f"warm exact 1 {share} late")
            ours.ask(f"warm exact 16 {share} late")
            ours.ask(f"warm exact 64 {share} late")

    print("\n| peer | r, share | batch | threads | peer ms | ours ms | ratio | pairs, peer and ours |")
    print("|---|---|---|---|---|---|---|---|", flush=True)

    def compare(name, index, share, batch, threads, asked, regime):
        faiss.omp_set_num_threads(threads)
        ours = one if threads == 1 else two
        theirs, mine, pairs = [], [], None
        for _ in range(rounds):
            ms, found = timed(index, asked, share * typical, batch)
            theirs.append(ms)
            answer = ours.ask(f"exact {batch} {share} {regime}")
            mine.append(answer["ms"])
            pairs = (found, len(asked) // batch * batch, answer["pairs"], answer["queries"])
        a, b = statistics.median(theirs), statistics.median(mine)
        print(
            f"| {name} | {share} {regime} | {batch} | {threads} | {a:.3f} | {b:.3f} | {a / b:.1f} "
            f"| {pairs[0]} in {pairs[1]}, {pairs[2]} in {pairs[3]} |",
            flush=True,
        )

    # The best number of levels is looked for at each radius, on few queries.
    best = {}
    for levels in (32, 64, 128, 256):
        index = fill(faiss.IndexFlatL2Panorama(DIM, levels), latents)
        faiss.omp_set_num_threads(1)
        for share in shares:
            ms = min(timed(index, late[::12], share * typical, 1)[0] for _ in range(2))
            if share not in best or ms < best[share][1]:
                best[share] = (levels, ms)
        del index
    for levels in sorted({b[0] for b in best.values()}):
        index = fill(faiss.IndexFlatL2Panorama(DIM, levels), latents)
        for share in shares:
            if best[share][0] == levels:
                name = f"Panorama, {levels} levels"
                compare(name, index, share, 1, 1, late[::3], "late")
                compare(name, index, share, 16, 2, late[:96], "late")
        del index
    index = fill(faiss.IndexFlatL2(DIM), latents)
    compare("Flat", index, 0.3, 1, 1, late[:3], "late")
    compare("Flat", index, 0.3, 64, 2, late[:64], "late")
    for ours in (one, two):
        ours.process.stdin.close()


main()
