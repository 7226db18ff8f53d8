#!/usr/bin/env python3
"""Turn the npm package @lobehub/fluent-emoji-3d 1.1.0 into small PNG files.

Usage:
    make_emoji.py [--zopflipng] PACKAGE NAMES OUT

PACKAGE is the unpacked npm package @lobehub/fluent-emoji-3d, NAMES the
unpacked npm package emojibase-data (each the folder with package.json), OUT
the folder to write to.  Needs Pillow with WebP; --zopflipng calls the
zopflipng command, which makes the files smaller and keeps every pixel.

Each emoji without a skin tone is laid on white at its own 256x256 and then
shrunk to 64x64 by averaging 4x4 blocks.  The file is named after the code
points, and names.tsv lists file name (without .png), English name and group.
"""

import argparse
import concurrent.futures
import json
import os
import pathlib
import shutil
import subprocess

from PIL import Image

COUNT = 1871
SOURCE_SIDE = 256
SIDE = 64
SKIN_TONES = {"1f3fb", "1f3fc", "1f3fd", "1f3fe", "1f3ff"}
VARIATION = "fe0f"
CANCEL_TAG = "e007f"
PLAIN = str.maketrans("\u2018\u2019\u201c\u201d", "''\"\"")


def output_name(stem):
    """Return the code points of a file in PACKAGE, joined by '-'.

    The package writes three flags as 1f3f4-e0067_e0062_..., with '_' and
    without the closing tag; both are put right here.
    """
    if "_" in stem:
        stem = stem.replace("_", "-") + "-" + CANCEL_TAG
    return stem


def key(name):
    """Return what spellings of one sequence share (0023-fe0f and 23)."""
    points = name.lower().split("-")
    return tuple(int(point, 16) for point in points if point != VARIATION)


def read_names(package):
    """Return key -> (name, group)."""
    def read(path):
        return json.loads((package / path).read_text(encoding="utf-8"))

    groups = read("meta/groups.json")["groups"]
    names = {}
    for entry in read("en/data.json"):
        if "group" in entry:
            name = entry["label"].translate(PLAIN)
            if not name.startswith("flag: "):
                name = name.lower()
            names[key(entry["hexcode"])] = (name, groups[str(entry["group"])])
    return names


def load(source):
    """Return one image as 256x256 RGBA.

    Two images are 8 rows too high; of those the 256 rows with the drawing in
    the middle are kept, which cuts off only fully transparent rows.
    """
    with Image.open(source) as image:
        image = image.convert("RGBA")
    if image.size != (SOURCE_SIDE, SOURCE_SIDE):
        assert image.size == (SOURCE_SIDE, SOURCE_SIDE + 8), source
        box = image.getchannel("A").getbbox()
        top = (box[1] + box[3] - SOURCE_SIDE) // 2
        assert 0 <= top <= 8 and top <= box[1], source
        assert box[3] <= top + SOURCE_SIDE, source
        image = image.crop((0, top, SOURCE_SIDE, top + SOURCE_SIDE))
    return image


def convert(source, target):
    """Lay one image on white, shrink it and save it."""
    image = load(source)
    canvas = Image.new("RGBA", image.size, (255, 255, 255, 255))
    canvas.alpha_composite(image)
    small = canvas.convert("RGB").resize((SIDE, SIDE), Image.Resampling.BOX)
    small.save(target, format="PNG", optimize=True)


def pack(target):
    """Make one PNG smaller, with the same pixels and still RGB.

    An image of at most 256 colours, which zopflipng would store with a
    palette, stays as it is.
    """
    packed = target.with_suffix(".packed")
    subprocess.run(["zopflipng", "-y", str(target), str(packed)],
                   check=True, stdout=subprocess.DEVNULL)
    with Image.open(target) as before, Image.open(packed) as after:
        same_mode = after.mode == before.mode
        assert after.convert("RGB").tobytes() == before.tobytes(), target
    if same_mode and packed.stat().st_size < target.stat().st_size:
        packed.replace(target)
    else:
        packed.unlink()


def main():
    """Read the arguments and write the images and names.tsv."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--zopflipng", action="store_true")
    parser.add_argument("package", type=pathlib.Path)
    parser.add_argument("names", type=pathlib.Path)
    parser.add_argument("out", type=pathlib.Path)
    args = parser.parse_args()
    if args.zopflipng and not shutil.which("zopflipng"):
        parser.error("the zopflipng command is not installed")

    sources = {}
    for path in (args.package / "assets").glob("*.webp"):
        name = output_name(path.stem)
        if not SKIN_TONES & set(name.split("-")):
            sources[name] = path
    assert len(sources) == COUNT, len(sources)

    names = read_names(args.names)
    lines = ["\t".join((name, *names[key(name)])) for name in sorted(sources)]
    args.out.mkdir(parents=True, exist_ok=True)
    (args.out / "names.tsv").write_text("\n".join(lines) + "\n",
                                        encoding="utf-8", newline="\n")
    targets = []
    for name in sorted(sources):
        targets.append(args.out / f"{name}.png")
        convert(sources[name], targets[-1])
    if args.zopflipng:
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            list(pool.map(pack, targets))
    assert len(list(args.out.glob("*.png"))) == COUNT


if __name__ == "__main__":
    main()
