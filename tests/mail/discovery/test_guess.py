"""The usual names and ports of a domain."""

import asyncio
import time

import pytest

from custom_components.email_courier.mail.address import Mailbox
from custom_components.email_courier.mail.discovery import guess
from custom_components.email_courier.mail.discovery.guess import by_guess
from custom_components.email_courier.mail.discovery.model import Candidate, Origin
from custom_components.email_courier.mail.settings import Encryption
from tests.support.clock import SOON

from .doubles import DOMAIN, SENDER, Ports

SMTP = f"smtp.{DOMAIN}"
MAIL = f"mail.{DOMAIN}"
NEVER = 3600.0


async def test_all_four_places_are_listened_to_at_once(mailbox: Mailbox) -> None:
    ports = Ports(delays=dict.fromkeys([(SMTP, 465), (SMTP, 587), (MAIL, 465), (MAIL, 587)], 1.0))
    started = time.monotonic()

    assert await by_guess(mailbox, ports) is None

    assert time.monotonic() - started < 3.5, "one after another they take four seconds"
    assert sorted(ports.asked) == [(MAIL, 465), (MAIL, 587), (SMTP, 465), (SMTP, 587)]


async def test_what_is_heard_comes_in_the_order_of_the_places(mailbox: Mailbox) -> None:
    ports = Ports(
        {(MAIL, 465): Encryption.TLS, (SMTP, 587): Encryption.STARTTLS},
    )

    found = await by_guess(mailbox, ports)

    assert found is not None
    assert found.origin is Origin.GUESS
    assert found.candidates == (
        Candidate(SMTP, 587, Encryption.STARTTLS),
        Candidate(MAIL, 465, Encryption.TLS),
    )
    assert found.username == SENDER


async def test_the_best_place_is_not_kept_waiting_for_the_others(
    mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guess, "GRACE", NEVER)
    ports = Ports(
        {(SMTP, 465): Encryption.TLS},
        delays={(SMTP, 587): NEVER, (MAIL, 465): NEVER, (MAIL, 587): NEVER},
    )
    started = time.monotonic()

    found = await by_guess(mailbox, ports)

    assert found is not None
    assert found.candidates == (Candidate(SMTP, 465, Encryption.TLS),)
    assert time.monotonic() - started < SOON


async def test_a_silent_better_place_is_given_up_soon(
    mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guess, "GRACE", 0.2)
    ports = Ports({(SMTP, 587): Encryption.STARTTLS}, delays={(SMTP, 465): NEVER})
    started = time.monotonic()

    found = await by_guess(mailbox, ports)

    assert found is not None
    assert found.best == Candidate(SMTP, 587, Encryption.STARTTLS)
    assert time.monotonic() - started < SOON


async def test_a_better_place_is_heard_out_within_grace(mailbox: Mailbox) -> None:
    ports = Ports(
        {(SMTP, 465): Encryption.TLS, (SMTP, 587): Encryption.STARTTLS},
        delays={(SMTP, 465): 0.2},
    )

    found = await by_guess(mailbox, ports)

    assert found is not None
    assert found.best == Candidate(SMTP, 465, Encryption.TLS)


async def test_a_plain_server_is_driven_out_by_an_encrypted_one(mailbox: Mailbox) -> None:
    ports = Ports({(SMTP, 587): Encryption.NONE, (MAIL, 587): Encryption.STARTTLS})

    found = await by_guess(mailbox, ports)

    assert found is not None
    assert found.candidates == (Candidate(MAIL, 587, Encryption.STARTTLS),)


async def test_a_plain_server_is_named_where_there_is_no_other(mailbox: Mailbox) -> None:
    found = await by_guess(mailbox, Ports({(SMTP, 587): Encryption.NONE}))

    assert found is not None
    assert found.candidates == (Candidate(SMTP, 587, Encryption.NONE),)


async def test_nobody_answering_ends_with_patience(
    mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guess, "PATIENCE", 0.2)
    started = time.monotonic()

    assert await by_guess(mailbox, Ports(delays={(MAIL, 587): NEVER})) is None

    assert time.monotonic() - started < SOON


async def test_what_was_heard_before_patience_ended_is_kept(
    mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guess, "PATIENCE", 0.2)
    ports = Ports({(MAIL, 587): Encryption.NONE}, delays={(SMTP, 465): NEVER})

    found = await by_guess(mailbox, ports)

    assert found is not None
    assert found.candidates == (Candidate(MAIL, 587, Encryption.NONE),)


async def test_cancelling_leaves_no_task(mailbox: Mailbox) -> None:
    ports = Ports(delays=dict.fromkeys([(SMTP, 465), (SMTP, 587), (MAIL, 465)], NEVER))
    before = asyncio.all_tasks()
    guessing = asyncio.create_task(by_guess(mailbox, ports))
    await asyncio.sleep(0.05)

    guessing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await guessing

    assert asyncio.all_tasks() == before
