"""HTML mail as its readers see it: the widths, the colours, the line ends, the pictures."""

from io import BytesIO
from pathlib import Path
import re
from typing import Any

from homeassistant.core import HomeAssistant
from PIL import Image
import pytest

from tests.reports.driver import (
    account_at,
    attached,
    classic,
    notify,
    only_mail,
    recipient,
    send,
    text_of,
)
from tests.reports.reports import report
from tests.reports.servers import Bed, Mail, ScriptedServer, StillCamera, add_entities

TO = "bea@example.test"
LONG = "Donaudampfschifffahrtsgesellschaftskapitän" * 4


@pytest.fixture
async def server(hass: HomeAssistant, bed: Bed) -> ScriptedServer:
    """A healthy server with an account that was set up by the dialog."""
    server = await bed.serve()
    await account_at(hass, server)
    return server


def _picture(size: tuple[int, int], kind: str = "JPEG", **options: Any) -> bytes:
    out = BytesIO()
    Image.linear_gradient("L").resize(size).convert("RGB").save(out, kind, **options)
    return out.getvalue()


async def _camera(hass: HomeAssistant, data: bytes) -> list[dict[str, str]]:
    await add_entities(hass, "camera", StillCamera("Front door", data))
    return [{"entity_id": "camera.front_door"}]


def _page(mail: Mail) -> str:
    return text_of(mail, "html")


def _seen(mail: Mail) -> str:
    """Return what a reader sees of the page, without the line for the inbox."""
    body = _page(mail).partition("<body")[2]
    without = re.sub(r'<div style="display:none.*?</div>', "", body, flags=re.DOTALL)
    return re.sub(r"<[^>]+>", " ", without)


@report(
    source="leemunroe/responsive-html-email-template#91",
    symptom="Outlook shows a picture at its full 1,200 pixels, and tears the text apart.",
    ours="Each picture has its width as an attribute, which Outlook minds.",
    held_at_first=True,
)
async def test_a_picture_has_its_width_as_an_attribute(
    hass: HomeAssistant, server: ScriptedServer
) -> None:
    await send(hass, to=TO, attachments=await _camera(hass, _picture((3840, 2160))))

    (width,) = re.findall(r'<img [^>]*\bwidth="(\d+)"', _page(only_mail(server)))
    assert int(width) <= 600


@report(
    source="hteumeuleu/email-bugs#93",
    symptom="Outlook on telephones overrides max-width: a picture overflows the screen.",
    ours="A picture is as wide as what it stands in, and no wider, and keeps its proportions.",
    held_at_first=True,
)
async def test_a_picture_is_as_wide_as_what_it_stands_in(
    hass: HomeAssistant, server: ScriptedServer
) -> None:
    await send(hass, to=TO, attachments=await _camera(hass, _picture((640, 360))))

    (style,) = re.findall(r'<img [^>]*style="([^"]+)"', _page(only_mail(server)))
    assert {"width:100%", "max-width:100%", "height:auto"} <= set(style.split(";"))


@report(
    source="hteumeuleu/email-bugs#41",
    symptom="Gmail cuts a mail off at 102 kB of HTML.",
    ours="A report with a table of fifty rows has less than half of that.",
    held_at_first=True,
)
async def test_a_long_report_is_not_clipped(hass: HomeAssistant, server: ScriptedServer) -> None:
    rows = "".join(f"| Room {number} | {number}.5 kWh | fine |\n" for number in range(50))

    await send(hass, to=TO, markdown=f"| Room | Energy | State |\n|--|--|--|\n{rows}")

    assert len(_page(only_mail(server)).encode()) < 51_000


@report(
    source="mjmlio/mjml#1829",
    symptom="Behind the preview the inbox goes on with the first words of the page.",
    ours="The preview is followed by enough that nobody sees.",
    held_at_first=True,
)
async def test_nothing_follows_the_preview(hass: HomeAssistant, server: ScriptedServer) -> None:
    await send(hass, to=TO, title="It rang", message="Somebody is there.")

    assert re.search(
        r"display:none[^>]*>Somebody is there\.(?:&#847;&zwnj;&nbsp;){40}", _page(only_mail(server))
    )


@report(
    source="veda-consulting-company/uk.co.vedaconsulting.mosaico#509",
    symptom="The preview stands twice in the text part.",
    ours="The text part has the message once, and nothing that is only for the inbox.",
    held_at_first=True,
)
async def test_the_text_part_has_no_preview(hass: HomeAssistant, server: ScriptedServer) -> None:
    await send(hass, to=TO, title="It rang", message="Somebody is there.")

    assert text_of(only_mail(server)) == "Somebody is there.\n"


@report(
    source="nodemailer/nodemailer#1302",
    symptom="The picture is attached, but not seen in the mail.",
    ours="A picture is shown in the text, whether anything names it or not.",
    held_at_first=True,
)
async def test_a_picture_is_seen_without_being_named(
    hass: HomeAssistant, server: ScriptedServer
) -> None:
    await send(hass, to=TO, attachments=await _camera(hass, _picture((64, 36))))

    mail = only_mail(server)
    (picture,) = attached(mail)
    assert picture.get_content_disposition() == "inline"
    assert f'src="cid:{picture["Content-ID"].strip("<>")}"' in _page(mail)


@report(
    source="hteumeuleu/caniemail#289",
    symptom="Gmail shows no picture whose data stand in the HTML.",
    ours="Pictures are parts of the mail; the page holds no data.",
    held_at_first=True,
)
async def test_no_picture_is_in_the_page_itself(
    hass: HomeAssistant, server: ScriptedServer
) -> None:
    await send(
        hass,
        to=TO,
        markdown="![x](data:image/png;base64,iVBORw0KGgo=)",
        attachments=await _camera(hass, _picture((64, 36))),
    )

    assert not re.search(r"""src=["']?data:|url\(""", _page(only_mail(server)))


@report(
    source="rust-lang/this-week-in-rust#1096",
    symptom="In dark mode the text is dark on dark.",
    ours="Wherever the background turns dark, the text on it turns light.",
    held_at_first=True,
)
async def test_dark_mode_changes_text_with_its_background(
    hass: HomeAssistant, server: ScriptedServer
) -> None:
    await send(hass, to=TO, message="Hello")

    dark = (
        _page(only_mail(server)).partition("prefers-color-scheme: dark")[2].partition("</style")[0]
    )
    rules = re.findall(r"(\.\w[^{]*)\{ (background|color): #(\w{2})(\w{2})(\w{2})", dark)
    assert {kind for _, kind, *_ in rules} == {"background", "color"}
    for names, kind, *parts in rules:
        assert (sum(int(part, 16) for part in parts) < 200) is (kind == "background"), names


@report(
    source="elastic/kibana#74109",
    symptom="The line ends of an alert are gone from its mail: Markdown takes them for blanks.",
    ours="A line ends in the mail where it ends in the Markdown.",
    held_at_first=False,
)
async def test_lines_of_markdown_end_where_they_end(
    hass: HomeAssistant, server: ScriptedServer
) -> None:
    await send(hass, to=TO, message="", markdown="CPU is busy\nMemory is full")

    mail = only_mail(server)
    assert re.search(r"CPU is busy<br ?/?>\s*Memory is full", _page(mail))
    assert text_of(mail) == "CPU is busy\nMemory is full\n"


@report(
    source="Tautulli/Tautulli#738",
    symptom="A text with line ends comes as one long line, since it is sent as HTML.",
    ours="A plain message keeps its lines and empty lines in the card.",
    held_at_first=True,
)
async def test_lines_of_a_message_end_where_they_end(
    hass: HomeAssistant, server: ScriptedServer
) -> None:
    await send(hass, to=TO, message="Movie (2016)\n====\nRated: R\n\nEnjoy")

    page = _page(only_mail(server))
    assert re.search(r"Movie \(2016\)<br>\s*====<br>\s*Rated: R</p>\s*<p [^>]*>Enjoy", page)


@report(
    source="gogs/gogs#2331",
    symptom="The text part holds tags such as <br> and <a href>.",
    ours="The text part of Markdown has no mark of HTML, and a link is its text and its address.",
    held_at_first=False,
)
async def test_the_text_part_has_no_tags(hass: HomeAssistant, server: ScriptedServer) -> None:
    await send(hass, to=TO, message="", markdown="1. Task\n2. [View it](https://a.example/3)")

    assert text_of(only_mail(server)) == "1. Task\n2. View it (https://a.example/3)\n"


@report(
    source="home-assistant/core#126008",
    symptom="HTML with a picture beside it comes without the picture.",
    ours="The picture is shown where the HTML names it by its file name.",
    held_at_first=True,
)
async def test_html_shows_its_pictures(
    hass: HomeAssistant, server: ScriptedServer, tmp_path: Path
) -> None:
    hass.config.allowlist_external_dirs = {str(tmp_path)}
    (tmp_path / "my_image.png").write_bytes(_picture((8, 8), "PNG"))
    (entry,) = hass.config_entries.async_entries("email_courier")

    await classic(
        hass,
        entry,
        target=TO,
        data={
            "images": [str(tmp_path / "my_image.png")],
            "html": '<!DOCTYPE html><html><body><img src="cid:my_image.png"></body></html>',
        },
    )

    (picture,) = attached(only_mail(server))
    assert picture["Content-ID"] == "<my_image.png>"
    assert _page(only_mail(server)).count("cid:my_image.png") == 1


@report(
    source="home-assistant/home-assistant.io#36227",
    symptom="A message with a photo, sent by the classic action, shows no photo.",
    ours="The photo is shown below the message.",
    held_at_first=True,
)
async def test_a_classic_photo_is_shown_below_the_message(
    hass: HomeAssistant, server: ScriptedServer, tmp_path: Path
) -> None:
    hass.config.allowlist_external_dirs = {str(tmp_path)}
    (tmp_path / "frontyard.jpg").write_bytes(_picture((8, 8)))
    (entry,) = hass.config_entries.async_entries("email_courier")

    await classic(
        hass,
        entry,
        target=TO,
        message="Somebody passed",
        data={"images": [str(tmp_path / "frontyard.jpg")]},
    )

    page = _page(only_mail(server)).partition("</div>")[2]
    assert page.index("Somebody passed") < page.index('src="cid:frontyard.jpg"')


@report(
    source="SgtBatten/HA_blueprints#105",
    symptom="Data that a blueprint has for telephones, icons and colours among it, stop the mail.",
    ours="What a mail can show is shown, the rest is passed over.",
    held_at_first=True,
)
async def test_data_for_telephones_does_not_stop_the_mail(
    hass: HomeAssistant, server: ScriptedServer
) -> None:
    (entry,) = hass.config_entries.async_entries("email_courier")

    await classic(
        hass,
        entry,
        target=TO,
        data={"color": "red", "icon": "mdi:dog", "facts": "many", "ttl": 0, "tag": "x"},
    )

    page = _page(only_mail(server))
    assert "#ff0000" in page
    assert "mdi:dog" not in page


@report(
    source="louislam/uptime-kuma#172",
    symptom="Each mail says the same in its subject and its text.",
    ours="The preview goes on where the subject ends, and the subject stands in the page once.",
    held_at_first=True,
)
async def test_the_subject_is_said_once(hass: HomeAssistant, server: ScriptedServer) -> None:
    await send(
        hass, to=TO, title="Router is down", message="Router is down: no answer since 21:04."
    )

    page = _page(only_mail(server))
    assert re.search(r"display:none[^>]*>no answer since 21:04", page)
    assert _seen(only_mail(server)).count("Router is down") == 2


@report(
    source="louislam/uptime-kuma#4073",
    symptom="The mail says that something is wrong, and none of the values that show it.",
    ours="Facts show states large, with their unit, in the page and in the text part.",
    held_at_first=True,
)
async def test_values_stand_in_the_mail(hass: HomeAssistant, server: ScriptedServer) -> None:
    hass.states.async_set(
        "sensor.ping", "1284.5", {"unit_of_measurement": "ms", "friendly_name": "Ping"}
    )

    await send(hass, to=TO, message="Slow", facts=[{"entity_id": "sensor.ping"}])

    assert "1,284.5\u00a0ms" in _seen(only_mail(server))
    assert text_of(only_mail(server)) == "Slow\n\nPing: 1,284.5\u00a0ms\n"


@report(
    source="grafana/grafana#88231",
    symptom="A long message breaks the layout of the alert.",
    ours="Long words break wherever they stand, and code wraps.",
    held_at_first=True,
)
@pytest.mark.parametrize("field", ["message", "markdown"])
async def test_long_words_break(hass: HomeAssistant, server: ScriptedServer, field: str) -> None:
    text = LONG if field == "message" else f"{LONG}\n\n```\n{LONG}\n```"

    await send(hass, to=TO, title=LONG, **{"message": "", field: text})

    page = _page(only_mail(server))
    (cell,) = re.findall(r'<td class="text inner"[^>]*>', page)
    assert "word-break:break-word" in cell
    assert all("white-space:pre-wrap" in tag for tag in re.findall("<pre [^>]*>", page))


@report(
    source="grafana/grafana#36911",
    symptom="Several values in one mail are crunched into tall thin columns.",
    ours="A table is as wide as the mail, and its numbers are never broken.",
    held_at_first=False,
)
async def test_columns_are_as_wide_as_their_numbers(
    hass: HomeAssistant, server: ScriptedServer
) -> None:
    await send(hass, to=TO, message="", markdown="| Host | Load |\n|--|--|\n| one | 93.25 % |")

    page = _page(only_mail(server))
    assert re.search(r'<table [^>]*width="100%"[^>]*>\s*<thead>', page)
    (number,) = re.findall(r"<td ([^>]*)>93\.25 %", page)
    assert 'nowrap="nowrap"' in number
    assert "text-align:right" in number


@report(
    source="odoo/odoo#177216",
    symptom="WebP pictures are not shown in Outlook.",
    ours="A camera's WebP picture goes as JPEG.",
    held_at_first=False,
)
async def test_webp_goes_as_jpeg(hass: HomeAssistant, server: ScriptedServer) -> None:
    await send(hass, to=TO, attachments=await _camera(hass, _picture((64, 36), "WEBP")))

    (picture,) = attached(only_mail(server))
    assert picture.get_content_type() == "image/jpeg"
    assert picture.get_content().startswith(b"\xff\xd8\xff")


@report(
    source="nylas/nylas-mail#1563",
    symptom="Photos lie on their side or stand on their heads: the program minds no EXIF data.",
    ours="A picture is turned before it is sent, and has no EXIF data left.",
    held_at_first=False,
)
async def test_a_picture_stands_upright(hass: HomeAssistant, server: ScriptedServer) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    await send(hass, to=TO, attachments=await _camera(hass, _picture((64, 36), exif=exif)))

    (part,) = attached(only_mail(server))
    picture = Image.open(BytesIO(part.get_content()))
    assert picture.size == (36, 64)
    assert not picture.getexif()


@report(
    source="revivek/oy#53",
    symptom="A mail in Hebrew is shown from left to right.",
    ours="The page has the direction of its text, whatever the language of the home is.",
    held_at_first=False,
)
@pytest.mark.parametrize(("text", "direction"), [("יש מים במטבח", "rtl"), ("Water", "ltr")])
async def test_a_mail_has_the_direction_of_its_text(
    hass: HomeAssistant, server: ScriptedServer, text: str, direction: str
) -> None:
    await send(hass, to=TO, message=text)

    page = _page(only_mail(server))
    assert re.search(rf'<html [^>]*dir="{direction}"', page)
    assert re.search(rf'class="card"[^>]*dir="{direction}"', page)


@report(
    source="AppDaemon/appdaemon#1070",
    symptom="A notification comes as bare text; only a page of one's own is more.",
    ours="A text to a notify entity comes in the card, its addresses as links.",
    held_at_first=True,
)
async def test_a_notification_is_a_page(hass: HomeAssistant, server: ScriptedServer) -> None:
    (entry,) = hass.config_entries.async_entries("email_courier")
    entity_id, _ = await recipient(hass, entry, "Bea", [TO])

    await notify(hass, entity_id, title="It rang", message="See https://home.example.test.")

    page = _page(only_mail(server))
    assert ">It rang</h1>" in page
    assert 'href="https://home.example.test"' in page
