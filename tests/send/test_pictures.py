"""Pictures as mails show them: fitting, upright, in their places."""

import asyncio
from io import BytesIO
from pathlib import Path
import time
from typing import Any

from homeassistant.core import HomeAssistant
from PIL import Image
import pytest

from tests.support.accounts import load_account
from tests.support.fixtures import Bed
from tests.support.mails import attached, only_mail, send, text_of
from tests.support.pictures import StillCamera, add_entities

ANNA = "anna@example.test"
CARD = {"layout": "card"}
TURNED = 6


def _noise(size: tuple[int, int]) -> Image.Image:
    small = Image.effect_noise((size[0] // 8, size[1] // 8), 60).convert("RGB")
    return small.resize(size)


def _file(size: tuple[int, int], kind: str = "JPEG", **options: Any) -> bytes:
    out = BytesIO()
    _noise(size).save(out, kind, **options)
    return out.getvalue()


def _exif() -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = TURNED
    exif[0x010F] = "A camera"
    return exif


def _opened(part: Any) -> Image.Image:
    return Image.open(BytesIO(part.get_payload(decode=True)))


async def _sent(hass: HomeAssistant, bed: Bed, *pictures: bytes, **fields: Any) -> Any:
    server = await bed.serve()
    await load_account(hass, server, options=CARD)
    cameras = [StillCamera(f"Camera {number}", data) for number, data in enumerate(pictures)]
    await add_entities(hass, "camera", *cameras)
    wanted = [{"entity_id": f"camera.camera_{number}"} for number in range(len(pictures))]
    response = await send(hass, to=ANNA, attachments=wanted, **fields)
    return only_mail(server), response


@pytest.mark.parametrize(("asked", "width"), [(None, 1280), (640, 640), (4000, 3840)])
async def test_a_picture_is_no_wider_than_asked(
    hass: HomeAssistant, bed: Bed, asked: int | None, width: int
) -> None:
    fields = {} if asked is None else {"max_width": asked}
    mail, _ = await _sent(hass, bed, _file((3840, 2160)), **fields)

    (picture,) = attached(mail)
    assert picture.get_content_disposition() == "inline"
    assert _opened(picture).width == width
    assert ">Camera 0</p>" in text_of(mail, "html")


async def test_what_fits_goes_byte_for_byte(hass: HomeAssistant, bed: Bed) -> None:
    small = _file((640, 360))
    mail, _ = await _sent(hass, bed, small)

    assert attached(mail)[0].get_payload(decode=True) == small


async def test_a_picture_is_turned_upright_and_tells_no_more(hass: HomeAssistant, bed: Bed) -> None:
    mail, _ = await _sent(hass, bed, _file((640, 360), exif=_exif()))

    picture = _opened(attached(mail)[0])
    assert picture.size == (360, 640)
    assert not picture.getexif()


async def test_webp_becomes_jpeg(hass: HomeAssistant, bed: Bed) -> None:
    mail, _ = await _sent(hass, bed, _file((640, 360), "WEBP"))

    (picture,) = attached(mail)
    assert picture.get_content_type() == "image/jpeg"
    assert (picture.get_filename() or "").endswith(".jpg")
    assert _opened(picture).format == "JPEG"


@pytest.mark.parametrize("fields", [{"max_width": 320}, {}])
async def test_a_file_is_made_smaller_only_where_that_is_asked_for(
    hass: HomeAssistant, bed: Bed, tmp_path: Path, fields: dict[str, int]
) -> None:
    hass.config.allowlist_external_dirs = {str(tmp_path)}
    file = tmp_path / "door.jpg"
    file.write_bytes(_file((2000, 1000), exif=_exif()))
    (tmp_path / "report.pdf").write_bytes(b"%PDF-1.7")
    server = await bed.serve()
    await load_account(hass, server, options=CARD)

    await send(
        hass,
        to=ANNA,
        attachments=[{"path": str(file), **fields}, {"path": str(tmp_path / "report.pdf")}],
    )

    picture, report = attached(only_mail(server))
    assert report.get_payload(decode=True) == b"%PDF-1.7"
    if fields:
        assert _opened(picture).size == (320, 640)
    else:
        assert picture.get_payload(decode=True) == file.read_bytes()


@pytest.mark.parametrize("kind", ["bomb", "cut off"])
async def test_what_cannot_be_decoded_is_said_in_its_place(
    hass: HomeAssistant, bed: Bed, kind: str
) -> None:
    out = BytesIO()
    if kind == "bomb":
        Image.new("1", (20_000, 20_000)).save(out, "PNG")
        data, reason = out.getvalue(), "too many pixels"
    else:
        data, reason = _file((2000, 1000))[:20_000], "damaged"
    mail, response = await _sent(hass, bed, _file((64, 64)), data, message="Look")

    page = text_of(mail, "html")
    assert len(attached(mail)) == 1
    assert "<strong>Camera 1</strong>" in page
    assert reason in page
    assert reason in text_of(mail)
    (missing,) = response["missing"]
    assert missing["name"] == "camera.camera_1"
    assert reason in missing["reason"]


async def test_a_file_that_is_no_picture_is_a_named_reason_where_it_is_to_be_smaller(
    hass: HomeAssistant, bed: Bed, tmp_path: Path
) -> None:
    hass.config.allowlist_external_dirs = {str(tmp_path)}
    file = tmp_path / "door.jpg"
    file.write_bytes(b"no picture at all")
    server = await bed.serve()
    await load_account(hass, server, options=CARD)

    response = await send(hass, to=ANNA, max_width=640, attachments=[{"path": str(file)}])

    assert "damaged" in response["missing"][0]["reason"]


async def test_pictures_stand_in_the_order_asked_for_with_the_gap_in_its_place(
    hass: HomeAssistant, bed: Bed
) -> None:
    server = await bed.serve()
    await load_account(hass, server, options=CARD)
    cameras = [
        StillCamera("North", _file((64, 64))),
        StillCamera("East", None),
        StillCamera("South", _file((64, 64))),
    ]
    await add_entities(hass, "camera", *cameras)
    names = ("camera.north", "camera.east", "camera.south")

    await send(hass, to=ANNA, attachments=[{"entity_id": name} for name in names])

    page = text_of(only_mail(server), "html")
    places = [page.index(name) for name in ('alt="North"', "<strong>East", 'alt="South"')]
    assert places == sorted(places)
    assert "the lens cap is on" in page


async def test_markdown_says_in_the_text_what_cannot_be_had(hass: HomeAssistant, bed: Bed) -> None:
    server = await bed.serve()
    await load_account(hass, server, options=CARD)
    await add_entities(hass, "camera", StillCamera("East", None))

    await send(
        hass,
        to=ANNA,
        message="",
        markdown="before ![the gate](cid:gate) after",
        attachments=[{"entity_id": "camera.east", "content_id": "gate"}],
    )

    page = text_of(only_mail(server), "html").partition("</div>")[2]
    places = [page.index(piece) for piece in ("before", "the lens cap is on", "after")]
    assert places == sorted(places)


async def test_pictures_that_a_page_of_ones_own_does_not_name_follow_it(
    hass: HomeAssistant, bed: Bed
) -> None:
    mail, _ = await _sent(hass, bed, _file((64, 64)), html="<html><body><p>Mine</p></body></html>")

    page = text_of(mail, "html")
    assert page.index("Mine") < page.index('src="cid:') < page.index("</body>")
    assert attached(mail)[0].get_content_disposition() == "inline"


async def test_the_plain_layout_attaches_as_ever(hass: HomeAssistant, bed: Bed) -> None:
    mail, _ = await _sent(hass, bed, _file((64, 64)), layout="plain")

    assert mail.get_body(("html",)) is None
    assert attached(mail)[0].get_content_disposition() == "attachment"


async def test_three_large_pictures_are_less_than_a_megabyte_and_nothing_has_to_wait(
    hass: HomeAssistant, bed: Bed
) -> None:
    server = await bed.serve()
    await load_account(hass, server, options=CARD)
    large = _file((3840, 2160), quality=90)
    assert 3 * len(large) > 1_000_000
    await add_entities(hass, "camera", *(StillCamera(name, large) for name in ("A", "B", "C")))
    wanted = [{"entity_id": f"camera.{name}"} for name in "abc"]
    lags: list[float] = []

    async def watch() -> None:
        while True:
            begun = time.thread_time()
            await asyncio.sleep(0)
            lags.append(time.thread_time() - begun)

    watching = asyncio.create_task(watch())
    await send(hass, to=ANNA, attachments=wanted)
    watching.cancel()

    (mail,) = server.record.mails
    assert len(mail.content) < 1_000_000
    # The time that this thread has worked at a stretch, however busy the machine is.
    assert max(lags) < 0.05
