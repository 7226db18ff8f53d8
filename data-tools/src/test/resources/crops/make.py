"""Makes pillow.txt: what Pillow makes of pictures from a formula, brought to a size in three ways.

python make.py > pillow.txt       needs Pillow 12.3

A line is: width and height of the picture, of the result, the crop, SHA-256 of the result's RGB samples.
"""

import hashlib

from PIL import Image

PICTURES = [(500, 375), (375, 500), (640, 480), (101, 99), (64, 64), (33, 200), (31, 17), (1, 7), (2, 1)]
SIZES = [(64, 64), (256, 256), (48, 32), (7, 21)]
BOX, BICUBIC, LANCZOS = Image.Resampling.BOX, Image.Resampling.BICUBIC, Image.Resampling.LANCZOS


def picture(width, height):
    """Waves with noise on them, from whole numbers only."""
    samples = bytearray()
    for y in range(height):
        for x in range(width):
            for c in range(3):
                noise = (x * 7919 + y * 104729 + c * 1299709) * 2654435761 >> 13
                samples.append((abs((3 * x + 2 * y + 85 * c) % 510 - 255) * 3 + noise % 256) // 4)
    return Image.frombytes("RGB", (width, height), bytes(samples))


def middle(image, width, height):
    left, top = (image.width - width) // 2, (image.height - height) // 2
    return image.crop((left, top, left + width, top + height))


def adm(image, width, height):
    while image.width >= 2 * width and image.height >= 2 * height:
        image = image.resize((image.width // 2, image.height // 2), BOX)
    scale = max(width / image.width, height / image.height)
    image = image.resize((round(image.width * scale), round(image.height * scale)), BICUBIC)
    return middle(image, width, height)


def center(image, width, height):
    if image.width * height > image.height * width:
        cut = (max(1, round(image.height * width / height)), image.height)
    else:
        cut = (image.width, max(1, round(image.width * height / width)))
    return middle(image, *cut).resize((width, height), LANCZOS)


def resize(image, width, height):
    return image.resize((width, height), LANCZOS)


for size in PICTURES:
    image = picture(*size)
    for to in SIZES:
        for crop in (adm, center, resize):
            made = crop(image, *to)
            assert made.size == to
            print(*size, *to, crop.__name__, hashlib.sha256(made.tobytes()).hexdigest())
