"""Mails in the card, as documentation shows them, with a fixed clock and fixed ids.

Their pictures are the smallest there are; tests/browser/mails.py puts scenes in their place.
"""

from collections.abc import Callable
from copy import replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from custom_components.email_courier.mail.address import parse_mailbox
from custom_components.email_courier.mail.compose.content import (
    ActionLink,
    Attachment,
    Button,
    Chart,
    Content,
    Entry,
    Fact,
    Gap,
    Layout,
    Panel,
    Priority,
    Reading,
    SentBy,
    Words,
)
from custom_components.email_courier.mail.compose.figures import reading_text
from custom_components.email_courier.mail.compose.message import ComposedMail, compose

from .cases import JPEG, PNG, counting

NOW = datetime(2026, 11, 21, 21, 4, tzinfo=ZoneInfo("Europe/Berlin"))

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
    return Attachment(f"{kind}.jpg", JPEG, "image/jpeg", content_id, caption)


def doorbell() -> Content:
    """Three cameras."""
    return _mail(
        subject="Somebody is at the door",
        icon="🔔",
        text="The bell rang at 21:04, and nobody has opened yet.",
        attachments=(
            _camera("door", "Front door"),
            _camera("garden", "Garden"),
            _camera("street", "Street"),
        ),
        button=Button("Open the camera", "/lovelace/cameras"),
        sent_by=SentBy(
            "Automation: Doorbell", "https://home.example.test/config/automation/edit/1"
        ),
    )


def missing() -> Content:
    """Three cameras, one of which is off."""
    return replace(
        doorbell(),
        attachments=(_camera("door", "Front door"), _camera("garden", "Garden")),
        gaps=(
            Gap(
                2,
                "Garage",
                "There is no picture from camera.garage: it gave none within 10 seconds.",
                "garage",
            ),
        ),
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
        sent_by=SentBy(
            "Automation: Water leak", "https://home.example.test/config/automation/edit/2"
        ),
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
            "| Kitchen | 21.4 kWh | 6.42 € | -12 % |\n"
            "| Cellar and workshop | 9.1 kWh | 2.73 € | +3 % |\n"
            "| Heat pump | 104.8 kWh | 31.44 € | -15 % |\n\n"
            "## To do\n\n- [x] Change the filter\n- [ ] Empty the *rain barrel*\n- [ ] Batteries: "
            "see https://home.example.test/batteries\n\n"
            "> [!TIP]\n> The dishwasher is cheapest after 22:00.\n\n"
            "```yaml\naction: climate.set_temperature\ntarget: {entity_id: climate.living_room}\n"
            "```\n"
        ),
        sent_by=SentBy("Automation: Weekly report"),
    )


def _drawn(name: str) -> Attachment:
    return Attachment(f"{name}.png", PNG, "image/png", f"chart:{name}", is_shown=True)


def _panel(name: str, *readings: Reading) -> Panel:
    said = "; ".join(reading_text(reading) for reading in readings)
    return Panel(readings, f"{said}. 21 Nov 2026", _drawn(name))


def _room(name: str, color: str, last: str, low: str, high: str) -> Reading:
    unit = "\u00a0°C"
    more = (Reading("lowest", low, unit), Reading("highest", high, unit))
    return Reading(name, last, unit, color, more)


def charts() -> Content:
    """Curves, bars and a timeline, and one that cannot be had."""
    energy = Reading(
        "Energy, total", "102.6", "\u00a0kWh", None, (Reading("highest", "12.3", "\u00a0kWh"),)
    )
    return _mail(
        subject="Your home today",
        markdown="A quiet day. The rooms:\n\n![](chart:1)\n\nThe rest is below.",
        charts=(
            Chart(
                "chart:1",
                "Temperatures",
                "20 Nov 2026, 21:04 – 21 Nov 2026, 21:04",
                (
                    _panel(
                        "three",
                        _room("Living room", "#1e88e5", "19.5", "18.5", "22.5"),
                        _room("Bedroom", "#e06c00", "17.0", "16.1", "18.8"),
                        _room("Kitchen", "#2e9a4b", "21.8", "20.8", "24.2"),
                    ),
                ),
            ),
            Chart("chart:2", "Energy", "8 Nov 2026 – 21 Nov 2026", (_panel("bars", energy),)),
            Chart(
                "chart:3",
                "",
                "20 Nov 2026, 21:04 – 21 Nov 2026, 21:04",
                (
                    _panel(
                        "timeline",
                        Reading(
                            "Front door", "Closed", "", "#1e88e5", (Reading("Open", "7 h 1 min"),)
                        ),
                        Reading(
                            "Hall", "Clear", "", "#e06c00", (Reading("Detected", "2 h 5 min"),)
                        ),
                        Reading(
                            "Washing machine",
                            "idle",
                            more=(
                                Reading("washing", "1 h 40 min", color="#1e88e5"),
                                Reading("spinning", "50 min", color="#2e9a4b"),
                            ),
                        ),
                    ),
                ),
                ("There is no entity sensor.cellar.",),
            ),
        ),
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
                "The washing machine is done",
                at.replace(minute=41),
                "It used 0.9 kWh.\nThe door is open.",
            ),
        ),
    )


def test_mail() -> Content:
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
        sent_by=SentBy("Automation: Laundry", "https://home.example.test/config/automation/edit/3"),
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
        sent_by=SentBy("Automation: Wassermelder"),
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
        sent_by=SentBy("オートメーション: 水漏れ"),
    )


def arabic() -> Content:
    """From right to left."""
    return replace(
        alarm(),
        subject="تسرب مياه في المطبخ",
        language="ar",
        home_name="بيتنا",
        words=ARABIC,
        markdown="مستشعر التسرب تحت المغسلة **مبلل** منذ الساعة 21:04.\n"
        "أُغلق الصمام الرئيسي فورًا.\n\n"
        "> [!WARNING]\n> افصل قاطع المطبخ قبل الدخول.\n\n| الغرفة | الطاقة |\n|--|--|\n"
        "| المطبخ | 21.4 kWh |\n| القبو | 9.1 kWh |\n\n- [x] تم إغلاق الصمام\n- إبلاغ السباك\n",
        facts=(Fact("مستشعر التسرب", "مبلل"), Fact("مياه اليوم", "1,284.5\u00a0L")),
        button=Button("افتح المطبخ", "/lovelace/kitchen"),
        sent_by=SentBy("الأتمتة: تسرب المياه"),
    )


def bare() -> Content:
    """Nothing but a picture."""
    return _mail(subject="Home Assistant", heading="", attachments=(_camera("door", "Front door"),))


def gate() -> Content:
    """A question with buttons that answer it."""
    answer = "https://home.example.test/api/email_courier/answer?t="
    return _mail(
        subject="Open the gate?",
        text="Somebody is at the gate.",
        actions=(
            ActionLink("OPEN", "Open the gate", f"{answer}AXq1", icon="🔓"),
            ActionLink("CALL", "Call the police & wait", f"{answer}AYr2", is_destructive=True),
            ActionLink("IGNORE", "Ignore", f"{answer}AZs3"),
            ActionLink("URI", "Cameras", "/lovelace/cameras"),
        ),
    )


CARDS: dict[str, Callable[[], Content]] = {
    one.__name__: one
    for one in (
        doorbell, missing, alarm, report, charts, digest, test_mail, plain, german, japanese,
        arabic, bare, gate,
    )
}  # fmt: skip


def composed_card(name: str) -> ComposedMail:
    """Compose one of them, the same way in every run."""
    return compose(CARDS[name](), now=NOW, unique=counting())
