#!/usr/bin/env python3
"""Turn the npm package fashion-mnist 1.1.0 into gzipped IDX files.

Usage:
    make_fashion_mnist.py [--held-out {last,first}] [--zopfli] PACKAGE OUT

PACKAGE is the unpacked npm package (the folder with package.json), OUT the
folder to write to.  Python's standard library is enough; --zopfli calls the
zopfli command, which packs tighter but gives the same bytes once unpacked.

The images keep their order inside each class and the classes are dealt round
robin: item 0 of class 0, 1, ..., 9, then item 1 of class 0, 1, ..., 9, ...
With --held-out last (the default) the last 1,000 images of each class are the
t10k files and the 6,000 before them the train files; with --held-out first
the first 1,000 are t10k and the 6,000 after them train.
"""

import argparse
import gzip
import json
import pathlib
import shutil
import struct
import subprocess

CLASSES = 10
PER_CLASS = 7000
HELD_OUT = 1000
SIDE = 28

# Class 0 has two entries that are empty lists, not images.
EMPTY = {0: [1000, 7001]}


def read_class(package, label):
    """Return the images of one class, each as 784 bytes."""
    path = package / "src" / "clothes" / f"{label}.json"
    entries = json.loads(path.read_text(encoding="ascii"))["data"]
    empty = [i for i, entry in enumerate(entries) if not entry]
    assert empty == EMPTY.get(label, []), (label, empty)
    images = []
    for entry in entries:
        if entry:
            assert len(entry) == SIDE * SIDE
            assert all(type(value) is int for value in entry)
            images.append(bytes(entry))  # refuses what is not 0..255
    assert len(images) == PER_CLASS, (label, len(images))
    return images


def write_gzip(path, content, zopfli):
    """Write content gzipped, without a time or a name in the header."""
    if zopfli:
        plain = path.with_suffix("")
        plain.write_bytes(content)
        subprocess.run(["zopfli", "--gzip", str(plain)], check=True)
        plain.unlink()
    else:
        path.write_bytes(gzip.compress(content, 9, mtime=0))
    assert gzip.decompress(path.read_bytes()) == content


def write_set(out, prefix, classes, zopfli):
    """Write the image file and the label file of one set."""
    images = [image for row in zip(*classes) for image in row]
    labels = bytes(i % CLASSES for i in range(len(images)))
    head = struct.pack(">IIII", 0x803, len(images), SIDE, SIDE)
    write_gzip(out / f"{prefix}-images-idx3-ubyte.gz",
               head + b"".join(images), zopfli)
    head = struct.pack(">II", 0x801, len(labels))
    write_gzip(out / f"{prefix}-labels-idx1-ubyte.gz", head + labels, zopfli)
    return len(images)


def main():
    """Read the arguments and write the four files."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--held-out", choices=["last", "first"],
                        default="last")
    parser.add_argument("--zopfli", action="store_true")
    parser.add_argument("package", type=pathlib.Path)
    parser.add_argument("out", type=pathlib.Path)
    args = parser.parse_args()
    if args.zopfli and not shutil.which("zopfli"):
        parser.error("the zopfli command is not installed")

    classes = [read_class(args.package, label) for label in range(CLASSES)]
    if args.held_out == "last":
        train = [images[:-HELD_OUT] for images in classes]
        test = [images[-HELD_OUT:] for images in classes]
    else:
        train = [images[HELD_OUT:] for images in classes]
        test = [images[:HELD_OUT] for images in classes]
    args.out.mkdir(parents=True, exist_ok=True)
    count = write_set(args.out, "train", train, args.zopfli)
    assert count == 60000, count
    count = write_set(args.out, "t10k", test, args.zopfli)
    assert count == 10000, count


if __name__ == "__main__":
    main()
