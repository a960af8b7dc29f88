"""Colours as people write them."""

from __future__ import annotations

import re
from typing import Final

from homeassistant.helpers import config_validation as cv
from homeassistant.util.color import color_name_to_rgb
import voluptuous as vol

_HEX: Final = re.compile("#?([0-9A-Fa-f]{6}|[0-9A-Fa-f]{3})")


def color_of(value: object) -> str | None:
    """Return a colour such as "#d1242f"; none for an empty text, so that a template can say so."""
    if isinstance(value, (list, tuple)):
        if len(value) != 3:
            raise vol.Invalid("a color has three parts: red, green and blue")
        red, green, blue = (vol.All(vol.Coerce(int), vol.Range(0, 255))(part) for part in value)
        return f"#{red:02x}{green:02x}{blue:02x}"
    text = cv.string(value).strip()
    if not text:
        return None
    if match := _HEX.fullmatch(text):
        digits = match[1] if len(match[1]) == 6 else "".join(digit * 2 for digit in match[1])
        return f"#{digits.lower()}"
    try:
        return color_of(color_name_to_rgb(text))
    except ValueError as error:
        raise vol.Invalid(f"no color: {text[:50]}") from error
