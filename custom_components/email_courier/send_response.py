"""What an action answers, and what it says when nobody waits for an answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from homeassistant.exceptions import HomeAssistantError
from homeassistant.util.json import JsonObjectType

from .const import LOGGER
from .mail.envelope import RecipientOutcome
from .mail.failure import MailError
from .mail.outbox.receipt import Receipt, Status
from .send import Sent, raise_failure

_LISTS = ("accepted", "refused", "queued")


def response(sent: Sequence[Sent]) -> JsonObjectType:
    """Return what became of one mail, or of several together and one by one."""
    mails = [_of_one(one) for one in sent]
    if len(mails) == 1:
        return mails[0]
    first = next(mail for mail in mails if mail["message_id"] is not None)
    states = {mail["status"] for mail in mails}
    together: dict[str, Any] = {
        **first,
        "status": states.pop() if len(states) == 1 else Status.PARTIAL.value,
        **{name: [item for mail in mails for item in mail[name]] for name in _LISTS},
        "attempts": sum(mail["attempts"] for mail in mails),
        "mails": [
            {"config_entry_id": one.destination.account.entry.entry_id, **mail}
            for one, mail in zip(sent, mails, strict=True)
        ],
    }
    return together


def report_refusals(sent: Sequence[Sent]) -> None:
    """Name in the log everyone who does not get a mail that others do get.

    Raises HomeAssistantError for a mail that nobody gets: an action that returns without an error
    and without an answer has sent or kept all of them.
    """
    for one in sent:
        refused = _of_one(one)["refused"] if isinstance(one.result, Receipt) else ()
        if refused:
            LOGGER.warning(
                "%s: not everyone gets the mail. Refused: %s",
                one.destination.account.entry.title,
                "; ".join(f"{item['address']} ({item['reply']})" for item in refused),
            )
    raise_failure(sent)


def _of_one(sent: Sent) -> dict[str, Any]:
    receipt = sent.result
    if not isinstance(receipt, Receipt):
        words = _words_of(receipt)
        return {
            "message_id": None,
            "status": "failed",
            "accepted": [],
            "refused": [
                {"address": address, "reply": words} for address in sent.destination.addresses
            ],
            "queued": [],
            "server_reply": words,
            "attempts": 0,
        }
    return {
        "message_id": receipt.message_id,
        "status": receipt.status.value,
        "accepted": [outcome.address for outcome in receipt.accepted],
        "refused": [
            {"address": outcome.address, "reply": _words(outcome)} for outcome in receipt.refused
        ],
        "queued": [outcome.address for outcome in receipt.owed],
        "server_reply": receipt.server_reply,
        "attempts": receipt.attempts,
    }


def _words(outcome: RecipientOutcome) -> str:
    return outcome.failure.server_words if outcome.failure is not None else ""


def _words_of(error: HomeAssistantError) -> str:
    """Return what the server said, or the error's own text where it said nothing."""
    cause = error.__cause__
    return (cause.failure.server_words if isinstance(cause, MailError) else "") or str(error)
