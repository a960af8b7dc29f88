"""Every kind of mail that can be composed, through real servers and back byte for byte."""

import asyncio
from copy import replace

import pytest

from custom_components.email_courier.mail.settings import Trust
from tests.mail.compose.cases import CASES, composed

from .accounts import session_with
from .fleet import NAMES, Fleet
from .people import RECIPIENT, SENDER

_NAMES_WITH_SMTPUTF8 = ("postfix", "exim")


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("name", NAMES)
async def test_a_composed_mail_arrives_byte_for_byte(
    fleet: Fleet, authority: Trust, name: str, case: str
) -> None:
    mail = composed(case)
    envelope = replace(mail.envelope, sender=SENDER, recipients=(RECIPIENT,))
    server = fleet.standing(name)
    server.clear()
    async with session_with(server, authority) as session:
        delivery = await session.deliver(envelope, mail.data)
    if envelope.smtputf8 and name not in _NAMES_WITH_SMTPUTF8:
        assert delivery.refused
        return
    assert delivery.accepted
    (received,) = await asyncio.to_thread(server.mails)
    assert received.holds(bytes(mail.data))
    assert received.message["Message-ID"] == mail.message_id
