"""Pictures are made smaller where a mail has no room for them."""

from io import BytesIO
import os
import struct
import zlib

from PIL import EpsImagePlugin, Image
import pytest

from custom_components.email_courier.pictures import smaller_picture

SIDE = 1600


def picture(mode: str, kind: str, **options: object) -> bytes:
    file = BytesIO()
    noise = os.urandom(SIDE * SIDE * len(mode))
    Image.frombytes(mode, (SIDE, SIDE), noise).save(file, kind, **options)
    return file.getvalue()


@pytest.mark.parametrize(
    ("mode", "kind"), [("RGB", "PNG"), ("RGBA", "PNG"), ("L", "PNG"), ("RGB", "JPEG")]
)
def test_a_large_picture_becomes_a_jpeg_that_fits_a_screen(mode: str, kind: str) -> None:
    large = picture(mode, kind)
    small = smaller_picture(large)
    assert small is not None
    assert len(small) < len(large)
    with Image.open(BytesIO(small)) as made:
        assert (made.format, made.size) == ("JPEG", (1280, 1280))


def test_a_picture_that_lies_on_its_side_is_put_upright() -> None:
    file = BytesIO()
    exif = Image.Exif()
    exif[0x0112] = 6
    noise = os.urandom(1000 * 500 * 3)
    Image.frombytes("RGB", (1000, 500), noise).save(file, "JPEG", quality=95, exif=exif)
    small = smaller_picture(file.getvalue())
    assert small is not None
    with Image.open(BytesIO(small)) as made:
        assert made.size == (500, 1000)


def test_what_lets_through_light_is_on_white() -> None:
    file = BytesIO()
    clear = Image.frombytes("RGBA", (SIDE, SIDE), os.urandom(SIDE * SIDE * 4))
    clear.putalpha(0)
    clear.save(file, "PNG")
    small = smaller_picture(file.getvalue())
    assert small is not None
    with Image.open(BytesIO(small)) as made:
        assert made.getpixel((5, 5)) == (255, 255, 255)


def test_a_picture_that_moves_goes_as_it_is() -> None:
    file = BytesIO()
    frames = [Image.frombytes("L", (500, 500), os.urandom(250_000)) for _ in range(3)]
    frames[0].save(file, "GIF", save_all=True, append_images=frames[1:])
    assert smaller_picture(file.getvalue()) is None


@pytest.mark.parametrize(
    "data",
    [b"", b"small", b"\xff\xd8" + bytes(200_000)],
    ids=["nothing", "small", "no picture"],
)
def test_what_is_small_or_no_picture_goes_as_it_is(data: bytes) -> None:
    assert smaller_picture(data) is None


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def bomb(side: int) -> bytes:
    """Return a black PNG of few bytes and many pixels."""
    pack = zlib.compressobj(9)
    rows = b"".join([*(pack.compress(bytes(side * 3 + 1)) for _ in range(side)), pack.flush()])
    head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    chunks = (_chunk(b"IHDR", head), _chunk(b"IDAT", rows), _chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def test_a_picture_of_too_many_pixels_is_not_decoded() -> None:
    data = bomb(8000)
    assert len(data) > 100_000
    assert smaller_picture(data) is None


def grey(mode: str, width: int, kind: str) -> bytes:
    """Return a picture whose greys have so many bytes each."""
    greys = bytearray(SIDE * SIDE * width)
    greys[0::width] = os.urandom(SIDE * SIDE)
    greys[1::width] = b"\x4e" * (SIDE * SIDE)
    file = BytesIO()
    Image.frombytes(mode, (SIDE, SIDE), bytes(greys)).save(file, kind)
    return file.getvalue()


@pytest.mark.parametrize(
    ("mode", "width", "kind"), [("I;16", 2, "PNG"), ("I", 4, "TIFF"), ("F", 4, "TIFF")]
)
def test_greys_of_more_than_eight_bits_go_as_they_are(mode: str, width: int, kind: str) -> None:
    data = grey(mode, width, kind)
    assert len(data) > 100_000
    assert smaller_picture(data) is None


def test_no_program_is_started_for_a_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[object] = []
    monkeypatch.setattr(EpsImagePlugin, "Ghostscript", lambda *given, **_: started.append(given))
    assert smaller_picture(picture("RGB", "EPS")) is None
    assert not started


def test_a_picture_without_its_end_goes_as_it_is() -> None:
    assert smaller_picture(picture("RGB", "PNG")[:-500_000]) is None
