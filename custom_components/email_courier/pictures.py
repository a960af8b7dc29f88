"""Making pictures smaller where a mail has no room for them as they are."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from PIL import Image

_LONGER_SIDE: Final = 1280
"""Pixels; enough to see who is at the door."""
_QUALITY: Final = 75
_WORTH_IT: Final = 100_000
"""Bytes. Smaller pictures are left alone."""
_MOST_PIXELS: Final = 36_000_000
"""More than 8K has. Each takes four bytes while it is decoded, however few the file has for it."""
_FORMATS: Final = ("BMP", "GIF", "JPEG", "PNG", "TIFF", "WEBP")
"""Those that are decoded within this process; for others a program would be started."""
_DEEP: Final = ("I", "F")
"""The first letters of modes with more than eight bits, whose black and white nobody knows."""


def smaller_picture(data: bytes) -> bytes | None:
    """Return a picture as a smaller JPEG file; None where it has to go as it is.

    So it is with what is no picture, moves, gains nothing, is too large to be decoded, or would not
    look the same. Blocks.
    """
    if len(data) <= _WORTH_IT:
        return None
    # It takes a while to import, which a home without digests is spared.
    from PIL import Image, ImageOps  # noqa: PLC0415

    try:
        with Image.open(BytesIO(data), formats=_FORMATS) as picture:
            if picture.width * picture.height > _MOST_PIXELS or picture.mode.startswith(_DEEP):
                return None
            if getattr(picture, "is_animated", False):
                return None
            # Decodes no more than it must, and turns no more than is left.
            picture.thumbnail((_LONGER_SIDE, _LONGER_SIDE))
            upright = ImageOps.exif_transpose(picture)
            file = BytesIO()
            _flat(upright).save(file, "JPEG", quality=_QUALITY)
    except Exception:  # noqa: BLE001 - a damaged picture fails in many ways, and goes as it is
        return None
    return file.getvalue() if file.tell() < len(data) else None


def _flat(picture: Image.Image) -> Image.Image:
    """Return a picture as JPEG can hold it, on white where it lets through what is behind it."""
    if picture.has_transparency_data:
        from PIL import Image  # noqa: PLC0415 - as above

        picture = picture.convert("RGBA")
        white = Image.new("RGBA", picture.size, "white")
        picture = Image.alpha_composite(white, picture)
    return picture.convert("RGB")
