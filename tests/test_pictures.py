"""Pictures are made smaller where a mail has no room for them."""

from io import BytesIO
import os

from PIL import Image
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
    [b"", b"small", b"\xff\xd8" + bytes(200_000), picture("RGB", "PNG")[:-500_000]],
    ids=["nothing", "small", "no picture", "cut off"],
)
def test_what_is_small_or_no_picture_goes_as_it_is(data: bytes) -> None:
    assert smaller_picture(data) is None
