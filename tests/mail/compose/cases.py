"""Mails that show what composing can do, with a fixed clock and fixed ids.

Used for the golden mails, and wherever else a set of very different mails is needed.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from itertools import count
from zoneinfo import ZoneInfo

from custom_components.email_courier.mail.address import parse_mailbox, parse_mailboxes
from custom_components.email_courier.mail.compose.content import (
    Attachment,
    Button,
    Content,
    Layout,
    Priority,
)
from custom_components.email_courier.mail.compose.message import ComposedMail, compose

NOW = datetime(2026, 11, 21, 7, 30, 15, tzinfo=UTC).astimezone(ZoneInfo("Europe/Berlin"))

PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c49444154"
    "08d763b8f0e0110004ae0256df88b5d20000000049454e44ae426082"
)
JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01" + bytes(range(256)) * 2 + b"\xff\xd9"
PDF = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n" + b"1 0 obj\n<< /Type /Catalog >>\nendobj\n" * 9

HOUSE = parse_mailbox("House <house@example.test>")
ANNA = parse_mailbox("Anna <anna@example.test>")
BEN = parse_mailbox("ben@example.test")

_MARKDOWN = """\
The **front door** was opened at *21:04*.

![Front door](cid:door.png)

| Room    | Temperature |
|:--------|------------:|
| Kitchen |       21 °C |
| Cellar  |       ~~14~~ 13 °C |

- [History](/history) and [the weather](https://weather.example/today?a=1&b=2)
- ![a picture from elsewhere](https://tracker.example/pixel.gif)
- <img src="https://tracker.example/raw.gif"> & `code`

> All is well.
"""


def counting() -> Callable[[], str]:
    """Return a source of ids that are the same in every run."""
    numbers = count(1)
    return lambda: f"id{next(numbers):04}"


def composed(name: str) -> ComposedMail:
    """Compose the case of this name, the same way in every run."""
    return compose(CASES[name], now=NOW, unique=counting())


CASES: dict[str, Content] = {
    "plain": Content(
        sender=HOUSE, to=(ANNA,), subject="Washing machine", text="The laundry is done."
    ),
    "html": Content(
        sender=HOUSE,
        to=(ANNA,),
        subject="Daily report",
        text="Nothing happened.",
        html="<html><body><h1>Daily report</h1><p>Nothing happened.</p></body></html>",
    ),
    "html_with_inline_picture": Content(
        sender=HOUSE,
        to=(ANNA,),
        subject="Front door",
        text="Somebody is at the door.",
        html='<p>Somebody is at the door.</p><img src="cid:door"><img src="cid:back door.png">',
        attachments=(Attachment("door.png", PNG, "image/png", "door"),),
        images=(Attachment("/config/www/back door.png", PNG), Attachment("plan.pdf", PDF)),
    ),
    "markdown": Content(
        sender=HOUSE,
        to=(ANNA, BEN),
        subject="Door & <window>",
        markdown=_MARKDOWN,
        text="The front door was opened at 21:04.",
        attachments=(
            Attachment("door.png", PNG, content_id="door.png"),
            Attachment("yard.jpg", JPEG, content_id="yard"),
        ),
        button=Button("Open the camera", "/lovelace/cameras"),
        base_url="https://house.example:8123",
        home_name="Müller & Sons' home",
        language="de",
        layout=Layout.CARD,
    ),
    "markdown_without_the_card": Content(
        sender=HOUSE,
        to=(ANNA,),
        subject="Door",
        markdown="The **front door** was opened.\n\n![Front door](cid:door.png)",
        attachments=(Attachment("door.png", PNG, content_id="door.png"),),
    ),
    "attachments": Content(
        sender=HOUSE,
        to=(ANNA,),
        subject="Files",
        text="Three files and an empty one.",
        attachments=(
            Attachment("report.pdf", PDF),
            Attachment("snapshot", JPEG, "image/jpeg"),
            Attachment(
                "läuft für immer – 日本語のファイル名前がとても長い場合.csv", "a;ü\n".encode()
            ),
            Attachment('../../etc/"quoted".txt', b""),
        ),
    ),
    "images_without_html": Content(
        sender=HOUSE,
        to=(ANNA,),
        subject="Snapshot",
        text="See the picture.",
        images=(Attachment("/config/www/door.png", PNG),),
    ),
    "non_ascii_everything": Content(
        sender=parse_mailbox('"Häuschen am Straßenrand, 日本" <haus@bücher.example>'),
        to=parse_mailboxes("Zoë <zoe@例え.example>; 👩‍👧 Familie <familie@example.test>"),
        cc=(parse_mailbox("Οἶκος <oikos@example.test>"),),
        reply_to=(parse_mailbox("Bücherei <antwort@bücher.example>"),),
        subject="Wärme 🔥 im Keller: 日本語の件名はとても長いので何行かに分けて書きます",
        text="Grüße aus dem Keller 🔥\nКонец.",
        html="<p>Grüße aus dem Keller 🔥</p>",
        headers={"X-Room": "Küche"},
        attachments=(Attachment("Grüße 🔥.png", PNG),),
    ),
    "utf8_address": Content(
        sender=HOUSE, to=(parse_mailbox("Jörg <jörg@example.test>"),), subject="Hi", text="Hi"
    ),
    "long_lines": Content(
        sender=HOUSE,
        to=(ANNA,),
        subject="A subject of many plain words that goes on and on " * 5 + "x" * 200,
        text="word " * 400 + "\n" + "x" * 3000 + "\n" + "é" * 3000,
    ),
    "dot_lines": Content(
        sender=HOUSE, to=(ANNA,), subject="...", text=".\n..\n.hidden\n\n.\nFrom here\nend .\n"
    ),
    "empty_body": Content(sender=HOUSE, to=(ANNA,)),
    "many_recipients": Content(
        sender=HOUSE,
        to=tuple(parse_mailbox(f"Person {i} <person{i}@example.test>") for i in range(1, 31)),
        cc=tuple(parse_mailbox(f"copy{i}@example.test") for i in range(1, 11)),
        bcc=tuple(parse_mailbox(f"secret{i}@example.test") for i in range(1, 11)),
        subject="To all",
        text="Hello everybody.",
    ),
    "only_bcc": Content(sender=HOUSE, bcc=(ANNA, BEN), subject="Quietly", text="Psst."),
    "urgent_in_a_thread": Content(
        sender=HOUSE,
        to=(ANNA,),
        subject="Leak",
        text="Water under the sink.",
        priority=Priority.HIGHEST,
        thread="leak-kitchen",
        reply_to=(BEN,),
        headers={"X-Entity": "binary_sensor.leak", "List-Id": "<alarms.example.test>"},
    ),
}
