"""The mails that documentation shows, and that every screen is tried with."""

import base64
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from io import BytesIO
import re
from typing import Any
from zoneinfo import ZoneInfo

from PIL import Image, ImageDraw, ImageFilter

from custom_components.email_courier.mail.address import parse_mailbox
from custom_components.email_courier.mail.compose.content import (
    Attachment,
    Button,
    Content,
    Entry,
    Fact,
    Gap,
    Layout,
    Origin,
    Priority,
    Words,
)
from custom_components.email_courier.mail.compose.message import ComposedMail, compose

NOW = datetime(2026, 11, 21, 21, 4, tzinfo=ZoneInfo("Europe/Berlin"))
WIDE = 1280

GERMAN = Words(
    urgent="Dringend",
    important="Wichtig",
    note="Hinweis",
    tip="Tipp",
    warning="Warnung",
    caution="Achtung",
    open="Öffnen",
    date="{day}. {month} {year}",
    date_time="{day}. {month} {year}, {time}",
    months="Jan. Feb. März Apr. Mai Juni Juli Aug. Sept. Okt. Nov. Dez.",
)
JAPANESE = Words(
    urgent="緊急",
    important="重要",
    warning="警告",
    date="{year}年{month}月{day}日",
    date_time="{year}年{month}月{day}日 {time}",
    months="1 2 3 4 5 6 7 8 9 10 11 12",
)
ARABIC = Words(
    urgent="عاجل",
    important="مهم",
    warning="تحذير",
    date_time="{day} {month} {year} {time}",
    months="يناير فبراير مارس أبريل مايو يونيو يوليو أغسطس سبتمبر أكتوبر نوفمبر ديسمبر",
)


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
        _garden(draw, width, height, ground)
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
    draw.rectangle((left, int(height * 0.26), right, ground), fill="#6d3f2a", outline="#2f1b12", width=8)
    draw.rectangle((left + 40, int(height * 0.32), right - 40, int(height * 0.46)), fill="#e7c77a")
    draw.ellipse((right - 44, int(height * 0.55), right - 24, int(height * 0.55) + 20), fill="#d9b45b")
    x, base = int(width * 0.66), ground + 40
    draw.ellipse((x - 34, base - 320, x + 34, base - 252), fill="#caa07f")
    draw.rounded_rectangle((x - 70, base - 250, x + 70, base - 90), 40, fill="#31507a")
    draw.rectangle((x - 52, base - 100, x - 8, base), fill="#20242c")
    draw.rectangle((x + 8, base - 100, x + 52, base), fill="#20242c")
    draw.rounded_rectangle((x - 60, base - 190, x + 30, base - 120), 6, fill="#b98a56")


def _garden(draw: ImageDraw.ImageDraw, width: int, height: int, ground: int) -> None:
    for x in range(0, width, 46):
        draw.rectangle((x, ground - 120, x + 34, ground + 6), fill="#6a5a49")
    draw.rectangle((0, ground - 96, width, ground - 84), fill="#584a3c")
    for x, size in ((180, 190), (420, 130), (980, 220)):
        draw.rectangle((x - 12, ground - size, x + 12, ground), fill="#3b2a20")
        draw.ellipse((x - size, ground - 2 * size, x + size, ground - size // 2), fill="#27402f")
    draw.ellipse((700, ground + 30, 860, ground + 80), fill="#2f5066")


def _street(draw: ImageDraw.ImageDraw, width: int, height: int, ground: int) -> None:
    draw.polygon(((width * 0.42, ground), (width * 0.56, ground), (width, height), (0, height)), fill="#2f3338")
    for x, tall in ((60, 330), (330, 250), (880, 290), (1110, 360)):
        draw.rectangle((x, ground - tall, x + 200, ground), fill="#3a3f4c")
        for row in range(ground - tall + 30, ground - 40, 70):
            for column in range(x + 24, x + 170, 60):
                lit = (row + column) % 3 == 0
                draw.rectangle((column, row, column + 30, row + 36), fill="#e9cf8c" if lit else "#2a2e38")
    draw.rounded_rectangle((520, ground + 30, 760, ground + 100), 18, fill="#7a2c2c")
    draw.ellipse((545, ground + 80, 595, ground + 130), fill="#15171a")
    draw.ellipse((685, ground + 80, 735, ground + 130), fill="#15171a")


def _mail(**fields: Any) -> Content:
    values: dict[str, Any] = {
        "sender": parse_mailbox("Our home <home@example.test>"),
        "to": (parse_mailbox("ada@example.test"),),
        "base_url": "https://home.example.test",
        "home_name": "Our home",
        "language": "en",
        "layout": Layout.CARD,
    }
    return Content(**values | fields)


def _camera(kind: str, caption: str, content_id: str | None = None) -> Attachment:
    return Attachment(f"{kind}.jpg", scene(kind), "image/jpeg", content_id, caption)


def doorbell() -> Content:
    """Three cameras, one of which is off."""
    return _mail(
        subject="Somebody is at the door",
        icon="🔔",
        text="The bell rang at 21:04, and nobody has opened yet.",
        attachments=(_camera("door", "Front door"), _camera("garden", "Garden")),
        gaps=(
            Gap(
                2,
                "Garage",
                "There is no picture from camera.garage: it gave none within 10 seconds.",
                "garage",
            ),
        ),
        button=Button("Open the camera", "/lovelace/cameras"),
        origin=Origin("Automation: Doorbell", "https://home.example.test/config/automation/edit/1"),
    )


def alarm() -> Content:
    """The most urgent there is."""
    return _mail(
        subject="Water in the kitchen",
        icon="💧",
        priority=Priority.HIGHEST,
        markdown=(
            "The leak sensor under the sink is **wet** since 21:04.\n"
            "The main valve was closed at once.\n\n"
            "> [!WARNING]\n> Switch off the fuse of the kitchen before you step in.\n"
        ),
        facts=(
            Fact("Leak sensor", "Wet"),
            Fact("Main valve", "Closed"),
            Fact("Water today", "1,284.5 L"),
            Fact("Kitchen", "21.4\u00a0°C"),
        ),
        button=Button("Open the kitchen", "/lovelace/kitchen"),
        origin=Origin("Automation: Water leak", "https://home.example.test/config/automation/edit/2"),
    )


def report() -> Content:
    """Markdown with everything in it."""
    return _mail(
        subject="How the week went",
        icon="📊",
        color="#1e88e5",
        markdown=(
            "Good morning! Last week the house used **12 % less** energy than the week before.\n\n"
            "## Energy\n\n"
            "| Room | Energy | Cost | Change |\n|:--|--|--|--|\n"
            "| Kitchen | 21.4 kWh | 6.42 € | -12 % |\n| Cellar and workshop | 9.1 kWh | 2.73 € | +3 % |\n"
            "| Heat pump | 104.8 kWh | 31.44 € | -15 % |\n\n"
            "## To do\n\n- [x] Change the filter\n- [ ] Empty the *rain barrel*\n- [ ] Batteries: "
            "see https://home.example.test/batteries\n\n"
            "> [!TIP]\n> The dishwasher is cheapest after 22:00.\n\n"
            "```yaml\nservice: climate.set_temperature\ntarget: {entity_id: climate.living_room}\n```\n"
        ),
        origin=Origin("Automation: Weekly report"),
    )


def digest() -> Content:
    """One mail for three."""
    at = NOW.replace(hour=20)
    return _mail(
        subject="3 messages from Our home",
        text="These 3 messages came faster than you wanted them, and were kept for you until now.",
        attachments=(_camera("street", "Street", "one"), _camera("garden", "Garden", "two")),
        entries=(
            Entry("The garden gate is open", at.replace(minute=2), "Since ten minutes."),
            Entry(
                "Movement in the garden",
                at.replace(minute=17),
                "Two cameras have seen something.",
                ("one", "two"),
            ),
            Entry(
                "The washing machine is done", at.replace(minute=41), "It used 0.9 kWh.\nThe door is open."
            ),
        ),
    )


def test() -> Content:
    """A test mail."""
    return _mail(
        subject="Test mail from Our home",
        icon="✅",
        text="This is a test mail from home@example.test. Home Assistant has just sent it at the "
        "press of a button: mail from your home arrives.",
    )


def plain() -> Content:
    """A short text."""
    return _mail(
        subject="Washing machine",
        text="The washing machine is done.\nIt used 0.9 kWh and 41 litres.\n\nhttps://home.example.test/laundry",
        origin=Origin("Automation: Laundry", "https://home.example.test/config/automation/edit/3"),
    )


def german() -> Content:
    """Long words."""
    return replace(
        alarm(),
        subject="Donaudampfschifffahrtsgesellschaftskapitänskajüte: Feuchtigkeitsüberwachung",
        language="de",
        home_name="Unser Zuhause",
        words=GERMAN,
        markdown="Der Wassermelder unter der Spüle ist seit 21:04 Uhr **nass**.\n"
        "Der Haupthahn wurde sofort geschlossen.\n\n| Raum | Verbrauch | Kosten |\n|--|--|--|\n"
        "| Hauswirtschaftsraum | 1.284,5 kWh | 385,35 € |\n| Küche | 21,4 kWh | 6,42 € |\n",
        facts=(
            Fact("Feuchtigkeitsüberwachung Hauswirtschaftsraum", "Nass"),
            Fact("Wasserverbrauch heute", "1.284,5\u00a0L"),
        ),
        button=Button("Zur Küche", "/lovelace/kitchen"),
        origin=Origin("Automation: Wassermelder"),
    )


def japanese() -> Content:
    """Letters without blanks between words."""
    return replace(
        alarm(),
        subject="キッチンで水漏れを検知しました",
        language="ja",
        home_name="わが家",
        words=JAPANESE,
        markdown="流し台の下の漏水センサーが21時04分から**濡れています**。元栓はすぐに閉じられました。\n\n"
        "> [!WARNING]\n> 入る前にキッチンのブレーカーを切ってください。\n",
        facts=(Fact("漏水センサー", "濡れ"), Fact("今日の水量", "1,284.5\u00a0L")),
        button=Button("キッチンを開く", "/lovelace/kitchen"),
        origin=Origin("オートメーション: 水漏れ"),
    )


def arabic() -> Content:
    """From right to left."""
    return replace(
        alarm(),
        subject="تسرب مياه في المطبخ",
        language="ar",
        home_name="بيتنا",
        words=ARABIC,
        markdown="مستشعر التسرب تحت المغسلة **مبلل** منذ الساعة 21:04.\nأُغلق الصمام الرئيسي فورًا.\n\n"
        "> [!WARNING]\n> افصل قاطع المطبخ قبل الدخول.\n\n| الغرفة | الطاقة |\n|--|--|\n"
        "| المطبخ | 21.4 kWh |\n| القبو | 9.1 kWh |\n\n- [x] تم إغلاق الصمام\n- إبلاغ السباك\n",
        facts=(Fact("مستشعر التسرب", "مبلل"), Fact("مياه اليوم", "1,284.5\u00a0L")),
        button=Button("افتح المطبخ", "/lovelace/kitchen"),
        origin=Origin("الأتمتة: تسرب المياه"),
    )


def bare() -> Content:
    """Nothing but a picture."""
    return _mail(subject="Home Assistant", heading="", attachments=(_camera("door", "Front door"),))


SAMPLES: dict[str, Callable[[], Content]] = {
    one.__name__: one
    for one in (
        doorbell, alarm, report, digest, test, plain, german, japanese, arabic, bare,
    )
}  # fmt: skip


def composed(name: str) -> ComposedMail:
    """Compose one of them."""
    return compose(SAMPLES[name](), now=NOW)


def text_of(mail: ComposedMail) -> str:
    """Return the text part."""
    part = _read(mail).get_body(("plain",))
    assert part is not None
    text: str = part.get_content()
    return text.replace("\r\n", "\n")


def page_of(mail: ComposedMail) -> str:
    """Return the HTML part with its pictures in place, as a mail program shows it."""
    message = _read(mail)
    part = message.get_body(("html",))
    assert part is not None
    html: str = part.get_content()
    pictures: dict[str, str] = {}
    for attached in message.walk():
        if content_id := attached.get("Content-ID"):
            data = base64.b64encode(attached.get_content()).decode()
            pictures[content_id.strip("<>")] = f"data:{attached.get_content_type()};base64,{data}"
    return re.sub(r"cid:([^\"]+)", lambda found: pictures[found[1]], html)


def _read(mail: ComposedMail) -> EmailMessage:
    return message_from_bytes(bytes(mail.data), _class=EmailMessage, policy=default)
