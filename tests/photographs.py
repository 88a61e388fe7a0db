"""Photographs of people who don't exist, drawn with Pillow alone: as many as a test needs, each as its seed decides.

`profilectl/pictures/photograph.jpg` is the one of seed 8, 420 by 560 pixels, saved again with quality 66.
"""

from __future__ import annotations

import io
import random

from PIL import Image, ImageChops, ImageDraw, ImageFilter

_SKINS = ((240, 200, 170), (222, 172, 134), (190, 134, 98), (146, 96, 68), (104, 68, 50))
_HAIRS = ((36, 27, 24), (78, 50, 33), (146, 102, 60), (112, 60, 38))
_CLOTHES = ((52, 84, 128), (132, 58, 66), (50, 100, 88), (104, 96, 122), (74, 76, 84))
_ROOMS = ((176, 160, 138), (136, 152, 158), (160, 164, 142), (168, 148, 150))
_LAMPS = ((255, 226, 170), (255, 244, 222), (226, 240, 255))
_ORIENTATION = 0x0112  # EXIF tag; 6 asks for a quarter turn clockwise


def photograph_like_portrait(seed, size=(1200, 1600)):
    """Draw head and shoulders before a blurred room, with the soft light, the grain and the EXIF of a telephone.

    Args:
        seed: decides skin, hair, clothes and room.
        size: width and height in pixels as a viewer shows it; it is stored lying on its side, with EXIF orientation 6.

    Returns:
        A JPEG.
    """
    chance = random.Random(seed)
    sketch = (size[0] // 2, size[1] // 2)
    image = _room(sketch, chance)
    _person(image, chance)
    image = _lit(image).resize(size, Image.Resampling.BICUBIC)
    exif = Image.Exif()
    exif[_ORIENTATION] = 6
    buffer = io.BytesIO()
    _grainy(image, chance).transpose(Image.Transpose.ROTATE_90).save(buffer, "JPEG", quality=88, exif=exif)
    return buffer.getvalue()


def _room(size, chance):
    """Return a wall that darkens downwards, with lamps far out of focus; drawn small, which blurs it for nothing."""
    small = (size[0] // 6, size[1] // 6)
    fall = Image.linear_gradient("L").resize(small).point([235 - at // 2 for at in range(256)])
    image = ImageChops.multiply(Image.new("RGB", small, chance.choice(_ROOMS)), fall.convert("RGB"))
    draw = ImageDraw.Draw(image, "RGBA")
    shelf = chance.uniform(0.1, 0.5) * small[0]
    draw.rectangle((shelf, 0, shelf + 0.07 * small[0], small[1]), fill=(60, 46, 38, 110))
    for _ in range(16):
        x, y, radius = chance.random() * small[0], chance.random() * 0.75 * small[1], chance.uniform(2, 9)
        lamp = (*chance.choice(_LAMPS), chance.randrange(50, 150))
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=lamp)
    return image.filter(ImageFilter.GaussianBlur(1.3)).resize(size, Image.Resampling.BICUBIC)


def _person(image, chance):
    skin, hair, cloth = chance.choice(_SKINS), chance.choice(_HAIRS), chance.choice(_CLOTHES)
    long_hair = chance.random() < 0.5
    if long_hair:
        _blob(image, (0.25, 0.29, 0.75, 1.1), _shaded(hair, 0.8), 0.012)
    _blob(image, (0.03, 0.99, 0.97, 2.1), cloth, 0.006)
    _blob(image, (0.385, 0.75, 0.615, 1.12), _shaded(skin, 0.8), 0.008)
    _blob(image, (0.37, 0.75, 0.63, 1.0), _shaded(skin, 0.62), 0.02, strength=150)
    for side in (0.285, 0.665):
        _blob(image, (side, 0.55, side + 0.05, 0.69), _shaded(skin, 0.85), 0.004)
    _blob(image, (0.275, 0.22, 0.725, 0.71), hair, 0.008)
    _blob(image, (0.305, 0.32, 0.695, 0.91), skin, 0.005)
    _fringe(image, hair, chance)
    _features(image, skin, hair)


def _fringe(image, hair, chance):
    parting = chance.uniform(-0.09, 0.09)
    _blob(image, (0.285, 0.25, 0.56 + parting, 0.45), hair, 0.012)
    _blob(image, (0.42 + parting, 0.25, 0.715, 0.46), hair, 0.012)
    _blob(image, (0.36, 0.25, 0.54, 0.33), _shaded(hair, 1.5), 0.03, strength=110)


def _features(image, skin, hair):
    """Draw light and shade first, then eyes, nose and a smile."""
    _blob(image, (0.33, 0.61, 0.45, 0.75), _shaded(skin, 1.12), 0.03, strength=150)
    _blob(image, (0.54, 0.62, 0.67, 0.86), _shaded(skin, 0.72), 0.035, strength=130)
    _blob(image, (0.42, 0.85, 0.6, 0.92), _shaded(skin, 0.7), 0.025, strength=120)
    for eye in (0.415, 0.585):
        _blob(image, (eye - 0.05, 0.525, eye + 0.05, 0.595), _shaded(skin, 0.72), 0.014, strength=140)
        _blob(image, (eye - 0.034, 0.546, eye + 0.034, 0.582), (238, 234, 228), 0.003)
        _blob(image, (eye - 0.018, 0.545, eye + 0.018, 0.583), (58, 42, 32), 0.002)
        _blob(image, (eye - 0.009, 0.55, eye + 0.001, 0.561), (255, 255, 255), 0.002)
        _blob(image, (eye - 0.04, 0.537, eye + 0.04, 0.551), _shaded(hair, 0.7), 0.003)
        _blob(image, (eye - 0.055, 0.487, eye + 0.055, 0.507), _shaded(hair, 0.8), 0.006)
    _blob(image, (0.5, 0.55, 0.535, 0.705), _shaded(skin, 0.76), 0.014, strength=140)
    _blob(image, (0.48, 0.55, 0.5, 0.68), _shaded(skin, 1.15), 0.01, strength=120)
    _blob(image, (0.465, 0.69, 0.54, 0.715), _shaded(skin, 0.62), 0.008, strength=170)
    _smile(image, skin)


def _smile(image, skin):
    red, green, blue = skin
    lips = (min(255, red), round(green * 0.62), round(blue * 0.64))
    _blob(image, (0.425, 0.755, 0.575, 0.822), lips, 0.005)
    _blob(image, (0.437, 0.762, 0.563, 0.798), (244, 240, 234), 0.003)
    _blob(image, (0.42, 0.738, 0.58, 0.777), skin, 0.006)
    _blob(image, (0.455, 0.825, 0.545, 0.84), _shaded(skin, 0.75), 0.01, strength=130)


def _shaded(colour, factor):
    red, green, blue = (min(255, round(factor * part)) for part in colour)
    return red, green, blue


def _blob(image, box, colour, blur, strength=255):
    """Paint an ellipse with a soft rim; box and blur are in widths of the picture, strength in 255ths."""
    radius = blur * image.width
    margin = round(3 * radius) + 1
    left, top, right, bottom = (edge * image.width for edge in box)
    mask = Image.new("L", (round(right - left) + 2 * margin, round(bottom - top) + 2 * margin))
    ImageDraw.Draw(mask).ellipse((margin, margin, margin + right - left, margin + bottom - top), fill=strength)
    mask = mask.filter(ImageFilter.GaussianBlur(radius))
    image.paste(colour, (round(left) - margin, round(top) - margin), mask)


def _lit(image):
    """Let light fall from the upper left, and the corners fall off as behind a small lens."""
    glow = Image.radial_gradient("L").point([225 - round(at * 0.62) for at in range(256)])
    width, height = image.size
    light = Image.new("L", image.size, 68)
    light.paste(glow.resize((2 * width, 2 * height)), (round(-0.75 * width), round(-0.95 * height)))
    vignette = Image.radial_gradient("L").point([255 - max(0, at - 90) // 2 for at in range(256)]).resize(image.size)
    lit = ImageChops.soft_light(image, light.convert("RGB"))
    return ImageChops.multiply(lit, vignette.convert("RGB"))


def _grainy(image, chance):
    noise = Image.frombytes("L", image.size, chance.randbytes(image.width * image.height))
    grain = noise.point([120 + at // 16 for at in range(256)])
    return ImageChops.hard_light(image, grain.convert("RGB"))
