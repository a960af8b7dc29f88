"""Pictures as mails want them: no larger than can be seen, upright, and shown by every reader.

Pillow takes a while to import, which a home without pictures is spared.
"""

from __future__ import annotations

from dataclasses import replace
from io import BytesIO
from pathlib import PurePath
from typing import IO, TYPE_CHECKING, Final

from .mail.compose.content import Attachment
from .mail.compose.content_type import HEAD_SIZE, content_type
from .mail.files import FileError

if TYPE_CHECKING:
    from PIL import Image

DEFAULT_WIDTH: Final = 1280
"""Pixels; enough to see who is at the door."""
_LONGER_SIDE: Final = 1280
_QUALITIES: Final = (80, 70, 60, 50, 40)
_LARGE: Final = 230_000
"""Bytes. Three pictures up to here make a mail of less than 1 MB."""
_QUALITY_OF_MANY: Final = 75
_WORTH_IT: Final = 100_000
"""Bytes. Smaller pictures are left alone in a digest."""
_LARGEST_PNG: Final = 300_000
"""Bytes. Drawings are smaller; a photograph becomes a JPEG file."""
_MOST_PIXELS: Final = 36_000_000
"""More than 8K has. Each takes four bytes while it is decoded, however few the file has for it."""
_MOST_BYTES: Final = 50_000_000
_FORMATS: Final = ("BMP", "GIF", "JPEG", "PNG", "TIFF", "WEBP")
"""Those that are decoded within this process; for others a program would be started."""
_DEEP: Final = ("I", "F")
"""The first letters of modes with more than eight bits, whose black and white nobody knows."""
_ORIENTATION: Final = 0x0112


class PictureError(Exception):
    """A picture that cannot be had: its file is damaged, or it has too many pixels for it.

    is_too_large: whether it has more than fit into memory.
    """

    def __init__(self, *, is_too_large: bool = False) -> None:
        """Name the fault."""
        super().__init__("too large" if is_too_large else "damaged")
        self.is_too_large = is_too_large


def fitted(attachment: Attachment, width: int, *, is_asked: bool) -> Attachment:
    """Return a picture that is at most so many pixels wide. Blocks.

    It is upright and without EXIF data, such as where it was taken; WebP becomes JPEG. What fits
    already goes byte for byte; so does what moves, and what is no picture of a known format: that
    is an error only where a width was asked for and the file says that it is one.
    Raises PictureError.
    """
    from PIL import Image, UnidentifiedImageError  # noqa: PLC0415 - see above

    try:
        if not _seems_picture(attachment):
            return attachment
        with Image.open(_content(attachment), formats=_FORMATS) as picture:
            _check_size(picture)
            if not _needs_work(picture, width):
                return attachment
            limit = None if is_asked else _LARGE
            smaller, kind = _encoded(_upright(picture, width), picture.format == "PNG", limit)
    except PictureError:
        raise
    except UnidentifiedImageError as error:
        if is_asked:
            raise PictureError from error
        return attachment
    except FileError:
        return attachment  # whoever composes the mail finds out, and says so
    except Image.DecompressionBombError as error:
        raise PictureError(is_too_large=True) from error
    except Exception as error:
        # a damaged picture fails in many ways
        raise PictureError from error
    attachment.close()
    suffix = ".png" if kind == "image/png" else ".jpg"
    name = str(PurePath(attachment.filename or "picture").with_suffix(suffix))
    return replace(attachment, filename=name, source=smaller, content_type=kind)


def _check_size(picture: Image.Image) -> None:
    if picture.width * picture.height > _MOST_PIXELS:
        raise PictureError(is_too_large=True)


def smaller_picture(data: bytes) -> bytes | None:
    """Return a picture as a smaller JPEG file; None where it has to go as it is.

    So it is with what is no picture, moves, gains nothing, is too large to be decoded, or would not
    look the same. Blocks.
    """
    if len(data) <= _WORTH_IT:
        return None
    from PIL import Image, ImageOps  # noqa: PLC0415 - see above

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
            _flat(upright).save(file, "JPEG", quality=_QUALITY_OF_MANY)
    except Exception:  # noqa: BLE001 - a damaged picture fails in many ways, and goes as it is
        return None
    return file.getvalue() if file.tell() < len(data) else None


def _content(attachment: Attachment) -> IO[bytes]:
    source = attachment.source
    if isinstance(source, bytes):
        return BytesIO(source)
    if len(source) > _MOST_BYTES:
        raise PictureError(is_too_large=True)
    return source.stream()


def _seems_picture(attachment: Attachment) -> bool:
    source = attachment.source
    head = source[:HEAD_SIZE] if isinstance(source, bytes) else source.head(HEAD_SIZE)
    kind = content_type(head, attachment.filename, attachment.content_type)
    return kind.startswith("image/") and not kind.startswith("image/svg")


def _needs_work(picture: Image.Image, width: int) -> bool:
    if getattr(picture, "is_animated", False) and picture.format != "WEBP":
        return False
    if picture.mode.startswith(_DEEP):
        return False
    return _shown_width(picture) > width or picture.format == "WEBP" or "exif" in picture.info


def _shown_width(picture: Image.Image) -> int:
    lies = picture.getexif().get(_ORIENTATION, 1) in {5, 6, 7, 8}
    return picture.height if lies else picture.width


def _upright(picture: Image.Image, width: int) -> Image.Image:
    from PIL import Image, ImageOps  # noqa: PLC0415 - see above

    shown = _shown_width(picture)
    if shown > width:
        share = width / shown
        size = (max(round(picture.width * share), 1), max(round(picture.height * share), 1))
        # A JPEG file is decoded at an eighth, a quarter or half of its size where that is enough.
        picture.draft(None, size)
        # As good as BICUBIC for less than the half of what LANCZOS takes.
        picture.thumbnail(size, Image.Resampling.HAMMING, reducing_gap=2)
    return ImageOps.exif_transpose(picture)


def _encoded(picture: Image.Image, is_drawing: bool, limit: int | None) -> tuple[bytes, str]:
    """Return a picture as a file, without EXIF data, and its type.

    limit: bytes that a photograph is to have at most, as far as it can still be recognised.
    """
    if is_drawing:
        file = BytesIO()
        picture.info.pop("exif", None)
        picture.save(file, "PNG", compress_level=6)
        if file.tell() <= _LARGEST_PNG:
            return file.getvalue(), "image/png"
    flat = _flat(picture)
    for quality in _QUALITIES:
        file = BytesIO()
        flat.save(file, "JPEG", quality=quality, exif=b"")
        if limit is None or file.tell() <= limit:
            break
    return file.getvalue(), "image/jpeg"


def _flat(picture: Image.Image) -> Image.Image:
    """Return a picture as JPEG can hold it, on white where it lets through what is behind it."""
    if picture.has_transparency_data:
        from PIL import Image  # noqa: PLC0415 - see above

        picture = picture.convert("RGBA")
        white = Image.new("RGBA", picture.size, "white")
        picture = Image.alpha_composite(white, picture)
    return picture.convert("RGB")
