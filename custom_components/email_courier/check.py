"""Proving a draft, the way every later mail will go."""

from __future__ import annotations

from dataclasses import dataclass, replace
import ssl

from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util
from homeassistant.util.ssl import client_context_no_verify

from .draft import Draft
from .mail.address import parse_mailbox
from .mail.compose.content import Content
from .mail.compose.message import compose
from .mail.deliver import deliver_once
from .mail.failure import Failure, FailureKind, MailError, Permanence, Stage
from .mail.handshake import Proof, prove, resolve_encryption
from .mail.remedy import Diagnosis, diagnose
from .mail.session import StageObserver
from .mail.settings import Encryption
from .tls_context import async_context_for


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a handshake: the draft with its encryption decided, and proof or diagnosis."""

    draft: Draft
    proof: Proof | None = None
    diagnosis: Diagnosis | None = None


async def async_check(
    hass: HomeAssistant, draft: Draft, observer: StageObserver | None = None
) -> Outcome:
    """Go through the handshake and, where it fails, look for what would help."""
    settings = draft.settings()
    try:
        context = await async_context_for(hass, settings.trust)
    except (OSError, ssl.SSLError) as error:
        return Outcome(draft, diagnosis=Diagnosis(_unreadable_ca(error)))
    try:
        settings = await resolve_encryption(settings, context)
        draft = replace(draft, encryption=settings.encryption)
        if draft.needs_plain_consent:
            return Outcome(draft)
        proof = await prove(settings, context, draft.sender, observer=observer)
    except MailError as error:
        if settings.encryption is Encryption.AUTO:
            return Outcome(draft, diagnosis=Diagnosis(error.failure))
        diagnosis = await diagnose(
            settings,
            error.failure,
            draft.sender,
            checked=context,
            unchecked=client_context_no_verify(),
        )
        return Outcome(draft, diagnosis=diagnosis)
    return Outcome(draft, proof=proof)


async def async_send_test(
    hass: HomeAssistant, draft: Draft, recipient: str, subject: str, text: str
) -> None:
    """Send a test mail with settings that are not saved yet. Raises MailError."""
    settings = draft.settings()
    content = Content(
        sender=parse_mailbox(draft.sender, FailureKind.INVALID_SENDER),
        to=(parse_mailbox(recipient),),
        subject=subject,
        text=text,
        home_name=hass.config.location_name,
    )
    mail = await hass.async_add_executor_job(lambda: compose(content, now=dt_util.now()))
    context = await async_context_for(hass, settings.trust)
    delivery = await deliver_once(settings, context, mail.envelope, mail.data)
    for outcome in delivery.outcomes:
        if outcome.failure is not None:
            raise MailError(outcome.failure)


def _unreadable_ca(error: Exception) -> Failure:
    return Failure(
        FailureKind.TLS_FAILED, Stage.TLS, Permanence.TEMPORARY, detail=f"CA file: {error}"
    )
