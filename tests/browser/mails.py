"""The mails that documentation shows, with pictures as cameras take them."""

import base64
from copy import replace
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from functools import cache
from io import BytesIO
import re

from PIL import Image, ImageDraw, ImageFilter

from custom_components.email_courier.mail.compose.content import Chart, Panel
from custom_components.email_courier.mail.compose.message import ComposedMail, compose
from tests.mail.compose.cards import CARDS, NOW
from tests.support import plots

WIDE = 1280


@cache
def scene(kind: str, size: tuple[int, int] = (WIDE, 720)) -> bytes:
    """Return a picture as a camera of a house might take it in the evening."""
    width, height = size
    image = Image.new("RGB", size)
    draw = ImageDraw.Draw(image)
    top, bottom = {"door": ("#2b3a55", "#0f1726"), "garden": ("#33466b", "#18243b")}.get(
        kind, ("#43506b", "#1b2333")
    )
    for y in range(height):
        draw.line((0, y, width, y), fill=_between(top, bottom, y / height))
    ground = int(height * 0.78)
    draw.rectangle((0, ground, width, height), fill="#1c2420")
    if kind == "door":
        _door(draw, width, height, ground)
    elif kind == "garden":
        _garden(draw, width, ground)
    else:
        _street(draw, width, height, ground)
    glow = Image.new("RGB", size)
    lamp = ImageDraw.Draw(glow)
    x, y = int(width * 0.68), int(height * 0.2)
    lamp.ellipse((x - 130, y - 130, x + 130, y + 130), fill="#8a6a2c")
    glow = glow.filter(ImageFilter.GaussianBlur(60))
    lit = Image.blend(image, Image.composite(glow, image, glow.convert("L")), 0.45)
    ImageDraw.Draw(lit).ellipse((x - 16, y - 16, x + 16, y + 16), fill="#ffe9b0")
    out = BytesIO()
    lit.save(out, "JPEG", quality=80)
    return out.getvalue()


def _between(one: str, other: str, share: float) -> tuple[int, int, int]:
    pairs = ((int(one[at : at + 2], 16), int(other[at : at + 2], 16)) for at in (1, 3, 5))
    red, green, blue = (round(a + (b - a) * share) for a, b in pairs)
    return red, green, blue


def _door(draw: ImageDraw.ImageDraw, width: int, height: int, ground: int) -> None:
    wall = (int(width * 0.16), int(height * 0.08), int(width * 0.84), ground)
    draw.rectangle(wall, fill="#5b5148")
    for row in range(wall[1], ground, 36):
        draw.line((wall[0], row, wall[2], row), fill="#524940", width=2)
    left, right = int(width * 0.4), int(width * 0.58)
    draw.rectangle(
        (left, int(height * 0.26), right, ground), fill="#6d3f2a", outline="#2f1b12", width=8
    )
    draw.rectangle((left + 40, int(height * 0.32), right - 40, int(height * 0.46)), fill="#e7c77a")
    draw.ellipse(
        (right - 44, int(height * 0.55), right - 24, int(height * 0.55) + 20), fill="#d9b45b"
    )
    x, base = int(width * 0.66), ground + 40
    draw.ellipse((x - 34, base - 320, x + 34, base - 252), fill="#caa07f")
    draw.rounded_rectangle((x - 70, base - 250, x + 70, base - 90), 40, fill="#31507a")
    draw.rectangle((x - 52, base - 100, x - 8, base), fill="#20242c")
    draw.rectangle((x + 8, base - 100, x + 52, base), fill="#20242c")
    draw.rounded_rectangle((x - 60, base - 190, x + 30, base - 120), 6, fill="#b98a56")


def _garden(draw: ImageDraw.ImageDraw, width: int, ground: int) -> None:
    for x in range(0, width, 46):
        draw.rectangle((x, ground - 120, x + 34, ground + 6), fill="#6a5a49")
    draw.rectangle((0, ground - 96, width, ground - 84), fill="#584a3c")
    for x, size in ((180, 190), (420, 130), (980, 220)):
        draw.rectangle((x - 12, ground - size, x + 12, ground), fill="#3b2a20")
        draw.ellipse((x - size, ground - 2 * size, x + size, ground - size // 2), fill="#27402f")
    draw.ellipse((700, ground + 30, 860, ground + 80), fill="#2f5066")


def _street(draw: ImageDraw.ImageDraw, width: int, height: int, ground: int) -> None:
    draw.polygon(
        ((width * 0.42, ground), (width * 0.56, ground), (width, height), (0, height)),
        fill="#2f3338",
    )
    for x, tall in ((60, 330), (330, 250), (880, 290), (1110, 360)):
        draw.rectangle((x, ground - tall, x + 200, ground), fill="#3a3f4c")
        for row in range(ground - tall + 30, ground - 40, 70):
            for column in range(x + 24, x + 170, 60):
                lit = (row + column) % 3 == 0
                draw.rectangle(
                    (column, row, column + 30, row + 36), fill="#e9cf8c" if lit else "#2a2e38"
                )
    draw.rounded_rectangle((520, ground + 30, 760, ground + 100), 18, fill="#7a2c2c")
    draw.ellipse((545, ground + 80, 595, ground + 130), fill="#15171a")
    draw.ellipse((685, ground + 80, 735, ground + 130), fill="#15171a")


def composed(name: str) -> ComposedMail:
    """Compose one of them."""
    content = CARDS[name]()
    pictures = tuple(
        replace(one, source=scene(one.filename.partition(".")[0])) for one in content.attachments
    )
    charts = tuple(_drawn(chart) for chart in content.charts)
    return compose(replace(content, attachments=pictures, charts=charts), now=NOW)


def _drawn(chart: Chart) -> Chart:
    """Return a chart with pictures as they are drawn."""
    panels: list[Panel] = []
    for panel in chart.panels:
        assert panel.picture is not None
        data = plots.ALL[panel.picture.filename.partition(".")[0]]()
        panels.append(panel._replace(picture=replace(panel.picture, source=data)))
    return chart._replace(panels=tuple(panels))


def text_of(mail: ComposedMail) -> str:
    """Return the text part."""
    part = _read(bytes(mail.data)).get_body(("plain",))
    assert part is not None
    text: str = part.get_content()
    return text.replace("\r\n", "\n")


def page_of(data: bytes) -> str:
    """Return the HTML part of a mail with its pictures in place, as a mail program shows it."""
    message = _read(data)
    part = message.get_body(("html",))
    assert part is not None
    html: str = part.get_content()
    pictures: dict[str, str] = {}
    for attached in message.walk():
        if content_id := attached.get("Content-ID"):
            picture = base64.b64encode(attached.get_content()).decode()
            kind = attached.get_content_type()
            pictures[content_id.strip("<>")] = f"data:{kind};base64,{picture}"
    return re.sub(r"cid:([^\"]+)", lambda found: pictures[found[1]], html)


def _read(data: bytes) -> EmailMessage:
    return message_from_bytes(data, _class=EmailMessage, policy=default)
