"""The searches that are compared: those on the JVM, behind a pipe, and those in this process.

Each is asked for a `Turn`: milliseconds a query on the wall and of the CPU, and the pairs found.
"""

import json
import os
import subprocess
import time
from dataclasses import dataclass

import faiss
import graphs
import numpy as np

MEASUREMENT = 0.3  # seconds that a turn lasts at least, as in Stopwatch
EDGES, BEAM = 16, 100  # of every graph: those of Lucene; the lowest level has twice the edges


@dataclass
class Turn:
    ms: float
    cpu_ms: float


class Jvm:
    """A JVM that searches when told to (`spellshield.benchmarks.Stopwatch`)."""

    def __init__(self, cache, count, threads):
        self.process = subprocess.Popen(
            java(threads) + ["spellshield.benchmarks.Stopwatch", cache, str(count)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self.about = self._read()

    def ask(self, *words):
        print(*words, file=self.process.stdin, flush=True)
        return self._read()

    def turn(self, search, share, regime, batch=1, every=1):
        answer = self.ask(search, batch, share, regime, every)
        return Turn(answer["ms"], answer["cpuMs"])

    def warm(self, search, share, regime, batch=1):
        self.ask("warm", search, batch, share, regime, 1)

    def pairs(self, search, share, regime, every=1):
        """Distances by (query, item), queries numbered among those asked."""
        return {(q, i): d for q, i, d in self.ask("pairs", search, share, regime, every)["pairs"]}

    def _read(self):
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"the JVM ended with code {self.process.wait()}; run it by hand to see why")
        return json.loads(line)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait()


def java(threads):
    here = os.path.dirname(os.path.abspath(__file__))
    target = os.environ.get("SHIELD_BENCHMARKS", os.path.join(here, "..", "target"))
    return [
        os.path.join(os.environ["JAVA_HOME"], "bin", "java"),
        "-Xmx4g",
        f"-Djava.util.concurrent.ForkJoinPool.common.parallelism={threads - 1}",
        "--add-modules=jdk.incubator.vector",
        "--enable-native-access=ALL-UNNAMED",
        "-cp",
        f"{target}/classes:{target}/lib/*",
    ]


def library_version(name):
    """The version in the name of a jar beside our classes."""
    lib = os.path.join(java(1)[-1].split(":")[0], "..", "lib")
    jar = next(j for j in sorted(os.listdir(lib)) if j.startswith(name + "-"))
    return jar[len(name) + 1 : -len(".jar")]


def clocked(call, queries, least=MEASUREMENT):
    """The turn of something that answers `queries` queries, and its last answer."""
    wall, cpu, passes = time.perf_counter(), time.process_time(), 0
    while True:
        answer = call()
        passes += 1
        elapsed = time.perf_counter() - wall
        if elapsed >= least:
            cpu = time.process_time() - cpu
            return Turn(elapsed * 1e3 / passes / queries, cpu * 1e3 / passes / queries), answer


def pairs(limits, ids, first=0):
    owners = np.repeat(np.arange(len(limits) - 1) + first, np.diff(limits.astype(np.int64)))
    return set(zip(owners.tolist(), ids.tolist()))


def batches(index, queries, radius, batch):
    """What a Faiss index finds in whole batches of queries, for `pairs_of`."""
    # Faiss takes what is nearer than the float32 that it is given; the next one lets r itself in.
    square = float(np.nextafter(np.float32(radius * radius), np.float32(np.inf)))
    firsts = range(0, len(queries) - batch + 1, batch)
    return [(at, *index.range_search(queries[at : at + batch], square)) for at in firsts]


def pairs_of(answers):
    return set().union(*(pairs(limits, ids, at) for at, limits, _, ids in answers))


def fill(index, rows):
    for at in range(0, len(rows), 50000):
        index.add(np.ascontiguousarray(rows[at : at + 50000]))
    return index


class Refined:
    """A graph over heads whose candidates are measured in the full latents."""

    def __init__(self, candidates, query_heads, latents):
        self.candidates = candidates  # (heads of queries, reach) → limits, ids
        self.query_heads = query_heads
        self.latents = latents

    def __call__(self, regime, radius, reach, every):
        queries = np.ascontiguousarray(self.latents.queries(regime)[::every])
        query_heads = np.ascontiguousarray(self.query_heads(regime)[::every])

        def call():
            limits, ids = self.candidates(query_heads, reach)
            return graphs.refine(self.latents.rows, queries, limits, ids, radius)

        turn, (limits, ids) = clocked(call, len(queries))
        return turn, pairs(limits, ids)


class Clustered:
    """Faiss's inverted lists over the full latents: so many lists are looked into."""

    def __init__(self, index, probes, latents):
        self.index, self.probes, self.latents = index, probes, latents

    def __call__(self, regime, radius, reach, every):
        self.index.nprobe = self.probes
        queries = np.ascontiguousarray(self.latents.queries(regime)[::every])
        turn, answers = clocked(lambda: batches(self.index, queries, radius, 1), len(queries))
        return turn, pairs_of(answers)


def hnswlib_graph(path, rows):
    graph = graphs.Hnsw(rows.shape[1])
    if not os.path.exists(path):
        graph.build(rows, EDGES, BEAM)
        graph.save(path + ".pending")
        os.rename(path + ".pending", path)
    graph.load(path)
    return graph


def faiss_graph(path, rows):
    if not os.path.exists(path):
        index = faiss.IndexHNSWFlat(rows.shape[1], EDGES)
        index.hnsw.efConstruction = BEAM
        index.add(rows)
        faiss.write_index(index, path + ".pending")
        os.rename(path + ".pending", path)
    return faiss.read_index(path)


def faiss_candidates(index, beam):
    def candidates(query_heads, reach):
        index.hnsw.efSearch = beam
        limits, _, ids = index.range_search(query_heads, reach * reach)
        return limits.astype(np.int64), ids

    return candidates


def faiss_lists(path, latents):
    """An IndexIVFFlat; what was learnt and who belongs where is kept, not the latents once more."""
    count, dim = latents.rows.shape
    lists = round(2 * count**0.5)
    quantizer = faiss.IndexFlatL2(dim)
    if not os.path.exists(path):
        picked = np.random.default_rng(1).choice(count, min(count, 40 * lists), replace=False)
        kmeans = faiss.Kmeans(dim, lists, niter=10, seed=1)
        kmeans.train(np.ascontiguousarray(latents.rows[np.sort(picked)]))
        quantizer.add(kmeans.centroids)
        parts = range(0, count, 20000)
        lists_of = [quantizer.search(np.ascontiguousarray(latents.rows[a : a + 20000]), 1)[1] for a in parts]
        with open(path + ".pending", "wb") as out:
            np.savez(out, centroids=kmeans.centroids, lists=np.concatenate(lists_of).ravel())
        os.rename(path + ".pending", path)
    else:
        quantizer.add(np.load(path)["centroids"])
    index = faiss.IndexIVFFlat(quantizer, dim, lists)
    belongs = np.load(path)["lists"]
    for at in range(0, count, 50000):
        rows = np.ascontiguousarray(latents.rows[at : at + 50000])
        places = np.ascontiguousarray(belongs[at : at + 50000])
        index.add_core(len(rows), faiss.swig_ptr(rows), None, faiss.swig_ptr(places))
    return index
