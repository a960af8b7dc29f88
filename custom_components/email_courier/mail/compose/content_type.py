"""Which type a file is of, by its first bytes and by its name."""

from __future__ import annotations

from functools import cache
from mimetypes import MimeTypes
import re

HEAD_SIZE = 4096
UNKNOWN = "application/octet-stream"

_TYPE = r"[a-z0-9][a-z0-9!#$&^_.+-]{0,62}/[a-z0-9][a-z0-9!#$&^_.+-]{0,62}"

_MORE_NAMES = {
    ".gpx": "application/gpx+xml",
    ".ics": "text/calendar",
    ".log": "text/plain",
    ".vcf": "text/vcard",
}

_COMPRESSED = {
    "gzip": "application/gzip",
    "bzip2": "application/x-bzip2",
    "xz": "application/x-xz",
    "br": "application/octet-stream",
    "compress": "application/x-compress",
}

_MAGIC = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"II*\x00", "image/tiff"),
    (b"MM\x00*", "image/tiff"),
    (b"%PDF-", "application/pdf"),
    (b"OggS", "audio/ogg"),
    (b"fLaC", "audio/flac"),
    (b"ID3", "audio/mpeg"),
    (b"\x1f\x8b\x08", "application/gzip"),
    (b"PK\x03\x04", "application/zip"),
    (b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
    (b"\x1a\x45\xdf\xa3", "video/matroska"),
    (b"{\\rtf", "application/rtf"),
)
_RIFF = {b"WEBP": "image/webp", b"WAVE": "audio/wav", b"AVI ": "video/vnd.avi"}
_FTYP = {
    b"avif": "image/avif",
    b"heic": "image/heic",
    b"heix": "image/heic",
    b"mif1": "image/heif",
    b"M4A ": "audio/mp4",
    b"qt  ": "video/quicktime",
}

# What these hold says less than the name does: an office document is a zip file, and
# these two containers carry sound, pictures or both.
_CONTAINERS = {
    "application/zip": ("application/",),
    "application/gzip": ("application/",),
    "audio/ogg": ("audio/", "video/"),
    "video/matroska": ("video/", "audio/"),
    "video/mp4": ("video/", "audio/mp4"),
}


def content_type(head: bytes, filename: str, declared: str | None = None) -> str:
    """Return the type of a file, lower case and without parameters.

    head: its first HEAD_SIZE bytes. declared: what its source says. Content is believed
    before the source, the source before the name. Types that base64 must not wrap
    (message and multipart, RFC 2046 section 5) become application/octet-stream.
    """
    by_source = declared.partition(";")[0].strip().lower() if declared else ""
    by_name = _by_name(filename)
    claims = [claim for claim in (by_source, by_name) if claim not in {"", UNKNOWN}]
    found = _by_magic(head)
    if found is None:
        found = claims[0] if claims else UNKNOWN
    else:
        finer = _CONTAINERS.get(found, ())
        found = next((claim for claim in claims if claim.startswith(finer)), found)
    return UNKNOWN if found.startswith(("message/", "multipart/")) else found


def is_content_type(text: str) -> bool:
    """Tell whether text names a type, with or without parameters (RFC 6838 section 4.2)."""
    return re.fullmatch(_TYPE, text.partition(";")[0].strip().lower()) is not None


def usual_suffix(type_name: str) -> str:
    """Return the suffix that files of a type have, with its dot, or nothing."""
    return _names().guess_extension(type_name) or ""


@cache
def _names() -> MimeTypes:
    """Return the table that Python brings, without the files of the machine, and ours."""
    names = MimeTypes()
    for suffix, name in _MORE_NAMES.items():
        names.add_type(name, suffix)
    return names


def _by_name(filename: str) -> str:
    found, compression = _names().guess_file_type(filename)
    if compression is not None:
        return _COMPRESSED.get(compression, UNKNOWN)
    return found or ""


def _by_magic(head: bytes) -> str | None:
    if head[:4] == b"RIFF":
        return _RIFF.get(head[8:12])
    if head[4:8] == b"ftyp":
        return _FTYP.get(head[8:12], "video/mp4")
    if b"<svg" in head and head.lstrip()[:1] == b"<" and b"<html" not in head.lower():
        return "image/svg+xml"
    return next((name for magic, name in _MAGIC if head.startswith(magic)), None)
