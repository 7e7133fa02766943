"""The icon sprite: one SVG file of the icons in use, taken from Tabler Icons."""

import re
from functools import cache
from pathlib import Path

from django.conf import settings

SPRITE = "vendor/tabler/icons.svg"


def sprite_path() -> Path:
    return settings.BASE_DIR / "static" / SPRITE


@cache
def names() -> frozenset[str]:
    return frozenset(re.findall(r'<symbol id="([^"]+)"', sprite_path().read_text()))


def symbol(name: str, svg: str) -> str:
    """One icon's own file as a symbol of the sprite."""
    drawn = re.findall(r"<(?:path|circle|rect|line|polyline)\b[^>]*/>", svg)
    shapes = "".join(shape for shape in drawn if 'd="M0 0h24v24H0z"' not in shape)
    return f'<symbol id="{name}" viewBox="0 0 24 24">{shapes}</symbol>'


def sprite(symbols: list[str]) -> str:
    return '<svg xmlns="http://www.w3.org/2000/svg">\n' + "\n".join(symbols) + "\n</svg>\n"
