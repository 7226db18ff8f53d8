"""Compares the searches with others on the same latents, taking turns in one run.

    benchmarks/peers/run.sh CACHE COUNT [ROUNDS] [--parts PART,…] [--into FILE]

CACHE is what MakeLatents filled. Ours and the JVM's run in JVMs that answer line by line, Faiss and
hnswlib in this process. Graphs and what else takes long are kept in CACHE, and so is what a part has
measured: a run with --parts measures these anew and writes all that is known into the section.
"""

import argparse
import datetime
import json
import math
import os
import statistics
import subprocess
import time

import faiss
import numpy as np

import report
import searches
import sets
from searches import Jvm, Turn

SHARES = [0.2, 0.3, 0.4]
WIDER = [*SHARES, 0.5]  # where there are enough pairs to tell the approximate searches apart
SIZES = [10_000, 30_000, 100_000, 300_000]  # of the growth, beside COUNT
LEVELS = [32, 64, 128, 256]  # of Panorama

# A pair this near the edge tells nothing: float32 latents that were turned are off by less.
EDGE = 1e-5


def median(turns):
    return Turn(statistics.median(t.ms for t in turns), statistics.median(t.cpu_ms for t in turns))


def truth(jvm, share, regime, every=1):
    """The pairs that our exact search finds, but for those on the edge."""
    radius = share * jvm.about["typicalDistance"]
    return {pair for pair, d in jvm.pairs("exact", share, regime, every).items() if d <= radius * (1 - EDGE)}


def share_of(found, true):
    return len(found & true) / len(true) if true else math.nan


def cores_busy(seconds=2):
    """How many cores other programs keep busy: ours have nothing to do while this looks."""

    def ticks():
        user, nice, system, _, _, *others = map(int, open("/proc/stat").readline().split()[1:8])
        return user + nice + system + sum(others)

    before = ticks()
    time.sleep(seconds)
    return (ticks() - before) / os.sysconf("SC_CLK_TCK") / seconds


class Comparison:
    """What all parts share."""

    def __init__(self, cache, count, rounds):
        self.cache, self.count, self.rounds = cache, count, rounds
        self.latents = sets.Latents(cache, count)

    def exact(self):
        """P1 to P3: ours beside Panorama and Flat."""
        with Jvm(self.cache, self.count, 1) as one, Jvm(self.cache, self.count, 2) as two:
            jvms = {1: one, 2: two}
            typical = one.about["typicalDistance"]
            late = self.latents.queries("late")
            for share in SHARES:
                one.warm("exact", share, "late")
                two.warm("exact", share, "late", 16)
                two.warm("exact", share, "late", 64)
            lines = []

            def compare(name, index, share, batch, threads, every, ours_every=None):
                faiss.omp_set_num_threads(threads)
                asked = np.ascontiguousarray(late[::every])
                whole = len(asked) // batch * batch
                true = {(q, i) for q, i in truth(one, share, "late", every) if q < whole}
                theirs, ours = [], []
                for _ in range(self.rounds):
                    turn, answers = searches.clocked(
                        lambda: searches.batches(index, asked, share * typical, batch), whole
                    )
                    theirs.append(turn)
                    ours.append(jvms[threads].turn("exact", share, "late", batch, ours_every or every))
                line = {"peer": name, "share": share, "batch": batch, "threads": threads, "queries": whole}
                line |= {"found": share_of(searches.pairs_of(answers), true), "pairs": len(true)}
                line |= {"theirs": vars(median(theirs)), "ours": vars(median(ours))}
                lines.append(line)
                print(line, flush=True)

            # The best number of levels is looked for at each radius, on few queries.
            best = {}
            for levels in LEVELS:
                index = searches.fill(faiss.IndexFlatL2Panorama(sets.DIM, levels), self.latents.rows)
                faiss.omp_set_num_threads(1)
                few = np.ascontiguousarray(late[::12])
                for share in SHARES:
                    ms = min(
                        searches.clocked(lambda: searches.batches(index, few, share * typical, 1), len(few))[0].ms
                        for _ in range(2)
                    )
                    if share not in best or ms < best[share][1]:
                        best[share] = (levels, ms)
                del index
            for levels in sorted({b[0] for b in best.values()}):
                index = searches.fill(faiss.IndexFlatL2Panorama(sets.DIM, levels), self.latents.rows)
                for share in SHARES:
                    if best[share][0] == levels:
                        compare(f"Faiss Panorama, {levels} levels", index, share, 1, 1, 3)
                        compare(f"Faiss Panorama, {levels} levels", index, share, 16, 2, 3)
                del index
            index = searches.fill(faiss.IndexFlatL2(sets.DIM), self.latents.rows)
            # One query takes Flat most of a second: it gets three, ours as many as before.
            compare("Faiss Flat", index, 0.3, 1, 1, 97, 3)
            compare("Faiss Flat", index, 0.3, 64, 2, 3)
            lines.sort(key=lambda line: (line["batch"], line["peer"], line["share"]))
            return {"lines": lines, "typicalDistance": typical, "java": one.about["java"]}

    def lucene(self):
        """P4: Lucene's own exact radius query over the same sketches."""
        lines = []
        with Jvm(self.cache, self.count, 1) as jvm:
            for share in SHARES:
                for search in ("exact", "similarity:1"):
                    jvm.warm(search, share, "late")
                theirs, ours = [], []
                for _ in range(self.rounds):
                    theirs.append(jvm.turn("similarity:1", share, "late", 1, 9))
                    ours.append(jvm.turn("exact", share, "late", 1, 9))
                true = truth(jvm, share, "late", 9)
                line = {"peer": "Lucene, decay 1", "share": share, "batch": 1, "threads": 1, "queries": 32}
                line |= {"found": share_of(set(jvm.pairs("similarity:1", share, "late", 9)), true)}
                line |= {"pairs": len(true), "theirs": vars(median(theirs)), "ours": vars(median(ours))}
                lines.append(line)
                print(line, flush=True)
        return {"lines": lines}

    def approximate(self):
        """P7: what share of the true pairs is found, at what time."""
        with Jvm(self.cache, self.count, 1) as jvm:
            typical = jvm.about["typicalDistance"]
            reaches = {share: jvm.ask("heads", share)["reach"] for share in WIDER}
            on_jvm = {
                "ours, exact": "exact",
                "ours, HNSW": "hnsw",
                "Lucene similarity, decay .5": "similarity:0.5",
                "Lucene similarity, decay .95": "similarity:0.95",
                "Lucene similarity, decay .99": "similarity:0.99",
                "Lucene nearest 100": "nearest:100",
                "Lucene nearest 400": "nearest:400",
                "JVector threshold, at most 100": "jvector:100",
                "JVector threshold, at most 1000": "jvector:1000",
            }
            conditions = [(regime, share) for regime in ("late", "mid") for share in WIDER]
            for name in on_jvm.values():  # builds what is missing
                for share in SHARES:
                    jvm.warm(name, share, "late")
            here, lists = self._in_process()
            results = {name: [] for name in [*on_jvm, *here]}
            pair_counts = []
            for regime, share in conditions:
                # At 0.5 thousands of sketches are in reach of a query: some queries tell enough.
                every = 4 if share >= 0.5 else 1
                true = truth(jvm, share, regime, every)
                pair_counts.append(len(true))
                turns = {name: [] for name in results}
                found = {name: set(jvm.pairs(s, share, regime, every)) for name, s in on_jvm.items()}
                for _ in range(self.rounds):
                    for name, search in on_jvm.items():
                        turns[name].append(jvm.turn(search, share, regime, 1, every))
                    for name, search in here.items():
                        turn, found[name] = search(regime, share * typical, reaches[share], every)
                        turns[name].append(turn)
                for name in results:
                    point = {"found": share_of(found[name], true)} | vars(median(turns[name]))
                    results[name].append(point)
                    print(regime, share, name, point, flush=True)
            return {"conditions": conditions, "pairs": pair_counts, "results": results, "lists": lists}

    def _in_process(self):
        """The approximate searches of this process by name."""
        faiss.omp_set_num_threads(os.cpu_count())
        rows = sets.heads(self.cache, "heads", self.count)
        all_heads = sets.heads(self.cache, "query-heads", self.count)

        def query_heads(regime):
            return np.ascontiguousarray(sets.of_regime(all_heads, regime))

        def file(name):
            return os.path.join(self.cache, f"{name}-{self.count}")

        hnswlib = searches.hnswlib_graph(file("hnswlib"), rows)
        faiss_hnsw = searches.faiss_graph(file("faiss-hnsw"), rows)
        lists = searches.faiss_lists(file("faiss-lists"), self.latents)
        faiss.omp_set_num_threads(1)
        found = {}
        for k in (100, 400):
            candidates = lambda heads, reach, k=k: hnswlib.search(heads, k, reach)  # noqa: E731
            found[f"hnswlib nearest {k}"] = searches.Refined(candidates, query_heads, self.latents)
        for beam in (100, 400):
            candidates = searches.faiss_candidates(faiss_hnsw, beam)
            found[f"Faiss HNSW range, beam {beam}"] = searches.Refined(candidates, query_heads, self.latents)
        for probes in (1, 10):
            name = f"Faiss lists, {probes} looked into"
            found[name] = searches.Clustered(lists, probes, self.latents)
        return found, lists.nlist

    def growth(self):
        """P6: time of one query against the number of latents."""
        sizes = sorted({size for size in SIZES if size < self.count} | {self.count})
        series = {f"{who}, {regime}": [] for who in ("ours", "Panorama") for regime in ("late", "early")}
        levels = 128
        for size in sizes:
            index = searches.fill(faiss.IndexFlatL2Panorama(sets.DIM, levels), self.latents.rows[:size])
            faiss.omp_set_num_threads(1)
            with Jvm(self.cache, size, 1) as jvm:
                radius = 0.3 * jvm.about["typicalDistance"]
                for regime in ("late", "early"):
                    jvm.warm("exact", 0.3, regime)
                    queries = self.latents.queries(regime)[::3]
                    turns = {"ours": [], "Panorama": []}
                    for _ in range(self.rounds):
                        turns["ours"].append(jvm.turn("exact", 0.3, regime, 1, 3))
                        turn, _ = searches.clocked(
                            lambda: searches.batches(index, queries, radius, 1), len(queries)
                        )
                        turns["Panorama"].append(turn)
                    for who, all_turns in turns.items():
                        series[f"{who}, {regime}"].append(vars(median(all_turns)))
                        print(size, who, regime, vars(median(all_turns)), flush=True)
            del index
        return {"sizes": sizes, "levels": levels, "series": series}

    def boundary(self):
        """P14: pairs on the edge of the ball, ours and Faiss's, judged in exact arithmetic."""
        command = searches.java(1) + ["spellshield.benchmarks.peers.BoundarySet", self.cache]
        output = subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        ours = json.loads(output.stdout)
        radius = ours["radius"]
        rows = sets.float32_rows(os.path.join(self.cache, "boundary"))
        queries = sets.float32_rows(os.path.join(self.cache, "boundary-queries"))
        squares = {}  # of distances near the radius or below, by pair
        for q, query in enumerate(queries):
            differences = rows.astype(np.float64) - query
            rough = np.einsum("ij,ij->i", differences, differences)
            for item in np.flatnonzero(rough < radius * radius * (1 + 1e-6)):
                # The sum of the squares without rounding, then rounded once.
                squares[q, int(item)] = math.fsum((differences[item] ** 2).tolist())
        inside = {pair for pair, square in squares.items() if square <= radius * radius}
        flat = searches.fill(faiss.IndexFlatL2(sets.DIM), rows)
        panorama = searches.fill(faiss.IndexFlatL2Panorama(sets.DIM, 128), rows)

        def faiss_pairs(index, batch):
            return searches.pairs_of(searches.batches(index, queries, radius, batch))

        answers = {
            "ours, one query": {tuple(pair) for pair in ours["single"]},
            "ours, batch of 64": {tuple(pair) for pair in ours["batch"]},
            "Faiss Flat, one query": faiss_pairs(flat, 1),
            "Faiss Flat, batch of 64": faiss_pairs(flat, 64),
            "Faiss Panorama, one query": faiss_pairs(panorama, 1),
            "Faiss Panorama, batch of 64": faiss_pairs(panorama, 64),
        }

        def deepest(pair_set):
            off = [abs(math.sqrt(squares[pair]) / radius - 1) for pair in pair_set if pair in squares]
            return max(off, default=0.0)

        lines = []
        for name, found in answers.items():
            line = {"search": name, "missed": len(inside - found), "deepest": deepest(inside - found)}
            line |= {"outside": len(found - inside), "farthest": deepest(found - inside)}
            lines.append(line)
            print(line, flush=True)
        return {"inside": len(inside), "latents": len(rows), "queries": len(queries), "lines": lines}


PARTS = ["exact", "lucene", "approximate", "growth", "boundary"]


def main():
    parser = argparse.ArgumentParser(description="Compares the searches with others on the same latents.")
    parser.add_argument("cache", metavar="CACHE", help="the folder that MakeLatents filled")
    parser.add_argument("count", metavar="COUNT", type=int, help="how many of its latents to search")
    parser.add_argument("rounds", metavar="ROUNDS", type=int, nargs="?", default=5, help="turns of each search")
    parser.add_argument("--parts", default=",".join(PARTS), help="what to measure, by default all: %(default)s")
    here = os.path.dirname(os.path.abspath(__file__))
    into = os.path.join(here, "..", "RESULTS.md")
    parser.add_argument("--into", default=into, help="the page with the section; plots/ lies beside it")
    arguments = parser.parse_args()
    parts = arguments.parts.split(",")
    if not set(parts) <= set(PARTS):
        parser.error(f"--parts must be of {','.join(PARTS)}, but was {arguments.parts}")
    kept = os.path.join(arguments.cache, f"peers-{arguments.count}.json")
    results = json.load(open(kept)) if os.path.exists(kept) else {}
    comparison = Comparison(arguments.cache, arguments.count, arguments.rounds)
    for part in parts:
        busy = cores_busy()
        measured = getattr(comparison, part)()
        stamp = {"date": datetime.date.today().isoformat(), "rounds": arguments.rounds, "busy": busy}
        results[part] = stamp | measured
        with open(kept + ".pending", "w") as out:
            json.dump(results, out, indent=1)
        os.rename(kept + ".pending", kept)
        report.write(arguments.into, arguments.count, results)


main()
