"""What content says about the work that it makes."""

from typing import Any

import pytest

from custom_components.email_courier.mail.address import parse_mailbox
from custom_components.email_courier.mail.compose.content import Attachment, Content, Fact
from custom_components.email_courier.mail.failure import FailureKind

from .cases import ANNA, HOUSE, PNG

MANY = tuple(
    parse_mailbox(f"guest{n}@example.test", FailureKind.INVALID_RECIPIENT) for n in range(21)
)


def _content(**fields: Any) -> Content:
    asked: dict[str, Any] = {"sender": HOUSE, "to": (ANNA,), **fields}
    return Content(**asked)


def test_short_text_is_cheap_to_compose() -> None:
    assert _content(subject="Smoke", text="in the hallway " * 100).is_cheap_to_compose


@pytest.mark.parametrize(
    "fields",
    [
        {"text": "a" * 2049},
        {"subject": "a" * 2049},
        {"html": "<p>a</p>"},
        {"markdown": "a"},
        {"attachments": (Attachment("a.png", PNG),)},
        {"images": (Attachment("a.png", PNG),)},
        {"to": MANY},
        {"bcc": MANY},
        {"headers": {f"X-{n}": "a" for n in range(21)}},
        {"headers": {"X-Long": "a" * 2049}},
        {"facts": (Fact("Kitchen", "21.4 °C"),) * 21},
    ],
)
def test_whatever_takes_a_while_is_not(fields: dict[str, Any]) -> None:
    assert not _content(**fields).is_cheap_to_compose
