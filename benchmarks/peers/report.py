"""Writes what was measured as a section of a page, with its plots beside the page."""

import os
import subprocess
import textwrap

import faiss
import matplotlib
import numpy as np

import searches

matplotlib.use("Agg")
from matplotlib import pyplot as plt  # noqa: E402

BEGIN, END = "<!-- peers: begin, written by benchmarks/peers/run.sh -->", "<!-- peers: end -->"

# Okabe and Ito's colours, which the colour-blind can tell apart; one for each program.
COLOURS = {
    "ours": "#000000",
    "Lucene": "#0072b2",
    "JVector": "#cc79a7",
    "hnswlib": "#009e73",
    "Faiss": "#d55e00",
    "Panorama": "#d55e00",
}


def write(page, count, results):
    """Replaces the section between the two marks of a page, or adds it at the end."""
    plots = os.path.join(os.path.dirname(os.path.abspath(page)), "plots")
    os.makedirs(plots, exist_ok=True)
    parts = [introduction(count, results)]
    if "exact" in results or "lucene" in results:
        parts.append(exact(results))
    if "approximate" in results:
        parts.append(approximate(results["approximate"]))
        plot_recall(results["approximate"], count, os.path.join(plots, "recall.png"))
    if "growth" in results:
        parts.append(growth(results["growth"]))
        plot_growth(results["growth"], os.path.join(plots, "growth.png"))
    if "boundary" in results:
        parts.append(boundary(results["boundary"]))
    written = "\n\n".join([BEGIN, *parts, END])
    text = open(page).read() if os.path.exists(page) else ""
    if BEGIN in text:
        before, rest = text.split(BEGIN, 1)
        text = before + written + rest.split(END, 1)[1]
    else:
        text = text.rstrip("\n") + "\n\n" + written + "\n"
    with open(page + ".pending", "w") as out:
        out.write(text)
    os.rename(page + ".pending", page)


def table(head, rows):
    lines = ["| " + " | ".join(str(cell) for cell in row) + " |" for row in [head, *rows]]
    lines.insert(1, "|" + "---|" * len(head))
    return "\n".join(lines)


def section(title, text):
    """A heading and a paragraph, in lines of a page's width."""
    return title + "\n" + textwrap.fill(" ".join(text.split()), 119, break_on_hyphens=False, break_long_words=False)


def when(result):
    """When a part was measured, and what is to be said against it."""
    busy = f"; other programs kept {result['busy']:.1f} cores busy" if result["busy"] > 0.1 else ""
    rounds = "one round" if result["rounds"] == 1 else f"medians of {result['rounds']} rounds in turns"
    return f"{result['date']}, {rounds}{busy}"


def machine():
    info = open("/proc/cpuinfo").read()
    model = next(line.split(": ")[1] for line in info.splitlines() if line.startswith("model name"))
    wide = "AVX-512" if "avx512f" in info else "AVX2" if "avx2" in info else "no AVX2"
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{os.cpu_count()} cores of an {model} with {wide}, {memory:.0f} GiB"


def hnswlib_version():
    found = subprocess.run(
        ["dpkg-query", "-W", "-f", "${Version}", "libhnswlib-dev"], capture_output=True, text=True, check=False
    )
    return found.stdout.split("-")[0] or "of unknown version"


def introduction(count, results):
    rounds = next(iter(results.values()))["rounds"]
    java = next((r["java"] for r in results.values() if "java" in r), "25")
    text = f"""
`benchmarks/peers/run.sh CACHE {count} {rounds}` with a cache that `spellshield.benchmarks.latents.MakeLatents` filled:
float16 latents of 2,048 values mixed from 40,000 real ones; queries are predictions of a memoriser, *early* steps 0 to
6, *mid* 8 to 13, *late* 14 to 31. r is a share of the typical distance. {machine()}; Java {java}, Faiss
{faiss.__version__}, Lucene {searches.library_version("lucene-core")}, JVector {searches.library_version("jvector")},
hnswlib {hnswlib_version()}. Times are milliseconds a query, wall and in brackets CPU. *Found* is the share of the pairs
that our exact search finds, by query and item; pairs within 10⁻⁵ of r are left out, because the peers' latents, turned
into their principal axes in float32, are off by nearly as much."""
    return section(f"## Searching {count:,} latents, beside the peers", text)
    return section(f"## Searching {count:,} latents, beside the peers", text)


def ms(point):
    return f"{number(point['ms'])} ({number(point['cpu_ms'])})"


def number(value):
    """Three digits, or whole."""
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def percent(value):
    return "–" if np.isnan(value) else "100 %" if value == 1 else f"{100 * value:.1f} %"


def exact(results):
    lines = []
    for part in ("exact", "lucene"):
        lines += results.get(part, {"lines": []})["lines"]
    rows = []
    for line in lines:
        theirs, ours = line["theirs"], line["ours"]
        rows.append(
            [
                line["peer"],
                line["share"],
                line["batch"],
                line["threads"],
                ms(theirs),
                ms(ours),
                f"{theirs['ms'] / ours['ms']:.1f}",
                f"{theirs['cpu_ms'] / ours['cpu_ms']:.1f}",
                f"{percent(line['found'])} of {line['pairs']}",
            ]
        )
    dates = "; ".join(f"{part}: {when(results[part])}" for part in ("exact", "lucene") if part in results)
    head = ["peer", "r", "batch", "threads", "peer, ms", "ours, ms", "ratio", "CPU ratio", "peer found"]
    text = f"""Panorama with the number of levels (of 32, 64, 128, 256) that was fastest at the radius. Lucene's radius query with
decay 1 compares the query with every sketch, the same that ours searches; its candidates are measured as ours are.
({dates}.)"""
    return section("### Exact searches, late steps", text) + "\n\n" + table(head, rows)


def approximate(result):
    conditions, names = result["conditions"], list(result["results"])
    head = ["search"] + [f"{regime} {share}" for regime, share in conditions]
    rows = [["true pairs", *result["pairs"]]]
    for name in names:
        points = result["results"][name]
        rows.append([name] + [f"{percent(point['found'])}, {ms(point)}" for point in points])
    text = f"""One query at a time on one thread. Every graph is over the same sketches (float32 heads of 64 values), with 16 edges a
node, 32 on the lowest level, built with a beam of 100; ours and Lucene's queries share one. What a graph proposes
within the reach of the sketches is measured in the full latents by all. *k nearest* also has a beam of k. Faiss's lists
are over the full latents: {result["lists"]:,} of them (2·√N), 1 or 10 looked into, which SPELL-1 and SPELL-10 probably
were. ({when(result)}.)"""
    picture = "![share of the true pairs found against milliseconds a query](plots/recall.png)"
    heading = "### Approximate searches: pairs found, and ms a query"
    return "\n\n".join([section(heading, text), table(head, rows), picture])


def fitted(sizes, times):
    """a and b of a + b·N, least squares of relative errors, and the largest of these."""
    sizes, times = np.array(sizes, float), np.array(times)
    (a, b), *_ = np.linalg.lstsq(np.stack([1 / times, sizes / times], 1), np.ones(len(sizes)), rcond=None)
    return a, b, np.abs((a + b * sizes) / times - 1).max()


def growth(result):
    sizes = result["sizes"]
    head = ["search"] + [f"{size:,}" for size in sizes]
    head += ["a, ms", "b, ms a million", "largest error of the fit", "exponent at the end"]
    rows = []
    for name, points in result["series"].items():
        row = [name] + [ms(point) for point in points]
        times = [point["ms"] for point in points]
        if len(sizes) > 1:
            a, b, error = fitted(sizes, times)
            exponent = np.log(times[-1] / times[-2]) / np.log(sizes[-1] / sizes[-2])
            row += [number(a), number(b * 1e6), percent(error), f"{exponent:.2f}"]
        rows.append(row + ["–"] * (len(head) - len(row)))
    text = f"""One query on one thread, r = 0.3; Panorama with {result["levels"]} levels. The fit is a + b·N by least squares of relative
errors; the exponent is that of the growth between the last two sizes, 1 where time is in proportion. ({when(result)}.)"""
    picture = "![milliseconds a query against the number of latents](plots/growth.png)"
    return "\n\n".join([section("### Growth with the number of latents", text), table(head, rows), picture])


def boundary(result):
    head = ["search", "missed", "deepest of them inside, as a share of r", "wrongly inside", "farthest outside"]
    rows = []
    for line in result["lines"]:
        deepest = f"{line['deepest']:.1g}" if line["missed"] else "–"
        farthest = f"{line['farthest']:.1g}" if line["outside"] else "–"
        rows.append([line["search"], line["missed"], deepest, line["outside"], farthest])
    text = f"""{result["queries"]} queries, {result["latents"]:,} latents, {result["inside"]:,} pairs inside: d = r(1 ± 2⁻ᵏ) for k up to
24, d = r exactly and one last place of one value beside it, d = 0, duplicates, outliers
(`spellshield.benchmarks.peers.BoundarySet`). All search the same float32 values, not turned; Faiss is given the next
float32 above r², so that r itself counts as inside. The judge sums the squares of the float64 differences without
rounding. ({when(result).split(",")[0]}.)"""
    return section("### On the edge of the ball", text) + "\n\n" + table(head, rows)


def family(name):
    return next((word for word in COLOURS if name.startswith(word)), name)


def bare(axes):
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(color="#dddddd", linewidth=0.6)
    axes.set_axisbelow(True)


def plot_recall(result, count, path):
    """A panel for each condition; settings of one search are joined."""
    conditions = [tuple(condition) for condition in result["conditions"]]
    regimes = list(dict.fromkeys(regime for regime, _ in conditions))
    shares = list(dict.fromkeys(share for _, share in conditions))
    figure, panels = plt.subplots(
        len(regimes), len(shares), figsize=(12.5, 6), sharex=True, sharey=True, squeeze=False, layout="constrained"
    )
    searches_by_kind = {}  # the settings of a search, in order
    for name in result["results"]:
        searches_by_kind.setdefault(kind(name), []).append(name)
    for place, (regime, share) in enumerate(conditions):
        axes = panels[regimes.index(regime)][shares.index(share)]
        for what, names in searches_by_kind.items():
            points = [result["results"][name][place] for name in names]
            axes.plot(
                [point["ms"] for point in points],
                [100 * point["found"] for point in points],
                color=COLOURS[family(what)],
                marker=MARKERS[what],
                markersize=7 if what.startswith("ours") else 5,
                linewidth=1,
                label=what,
                clip_on=False,
                zorder=4 if what.startswith("ours") else 3,
            )
        bare(axes)
        axes.set_xscale("log")
        axes.xaxis.set_major_formatter("{x:g}")
        axes.set_title(f"{regime}, r = {share}, {result['pairs'][place]} pairs", fontsize=10)
    lowest = min(100 * p["found"] for points in result["results"].values() for p in points if not np.isnan(p["found"]))
    panels[0][0].set_ylim(max(0, 5 * np.floor(lowest / 5 - 0.2)), 100.5)
    for axes in panels[-1]:
        axes.set_xlabel("ms a query")
    for row in panels:
        row[0].set_ylabel("true pairs found, %")
    figure.suptitle(f"{count:,} latents, one thread: left and up is better", fontsize=11)
    figure.legend(*panels[0][0].get_legend_handles_labels(), loc="outside right center", frameon=False, fontsize=9)
    figure.savefig(path, dpi=110)
    plt.close(figure)


MARKERS = {
    "ours, exact": "*",
    "ours, HNSW": "D",
    "Lucene similarity": "o",
    "Lucene nearest": "s",
    "JVector threshold": "^",
    "hnswlib nearest": "v",
    "Faiss HNSW range": "P",
    "Faiss lists": "x",
}


def kind(name):
    return next(what for what in MARKERS if name.startswith(what))


def plot_growth(result, path):
    sizes = np.array(result["sizes"])
    figure, axes = plt.subplots(figsize=(6.5, 4.5), layout="constrained")
    for name, points in result["series"].items():
        times = [point["ms"] for point in points]
        style = "-" if name.endswith("late") else "--"
        axes.plot(sizes, times, style, color=COLOURS[family(name)], marker="o", markersize=4, label=name)
    # In proportion to N, from where ours begins: what is flatter is sub-linear.
    first = result["series"]["ours, late"][0]["ms"]
    axes.plot(sizes, first * sizes / sizes[0], ":", color="#888888", linewidth=1, label="in proportion to N")
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.xaxis.set_major_formatter("{x:,.0f}")
    axes.yaxis.set_major_formatter("{x:g}")
    axes.set_xlabel("latents")
    axes.set_ylabel("ms a query, one thread, r = 0.3")
    bare(axes)
    axes.legend(frameon=False, fontsize=9)
    figure.savefig(path, dpi=110)
    plt.close(figure)
