"""Proving a draft, the way every later mail will go, and looking for its server.

What does that is imported with the first dialog, off the event loop: a start of Home Assistant
imports this module.
"""

from __future__ import annotations

import asyncio
from copy import replace
from functools import partial
import ssl
from typing import TYPE_CHECKING, NamedTuple

from aiohttp import ClientError
from homeassistant.core import HomeAssistant
from homeassistant.helpers.aiohttp_client import async_get_clientsession
from homeassistant.helpers.importlib import async_import_module
from homeassistant.util import dt as dt_util
from homeassistant.util.ssl import client_context, client_context_no_verify

from ..entry import async_context_for
from ..errors import file_fault
from ..mail.address import parse_mailbox
from ..mail.envelope import RecipientOutcome
from ..mail.failure import Cause, Failure, FailureKind, MailError, Permanence, Stage
from ..mail.settings import (
    SUBMISSION_PORT,
    SUBMISSIONS_PORT,
    Deadlines,
    Encryption,
    ServerSettings,
)
from .draft import Draft

if TYPE_CHECKING:
    from ..mail.compose.content import Words
    from ..mail.discovery.model import Discovery
    from ..mail.smtp.session import Proof, StageObserver
    from ..mail.verify.remedy import Diagnosis

_MAIL = f"{__package__.rpartition('.')[0]}.mail"
_SEARCHING = Deadlines(handshake=4.0, connect=3.0, greeting=3.0)
"""Seconds for finding out what speaks at each of the usual places."""
_LEAST = 2.0
"""Seconds that a handshake gets even where listening has taken long."""


class CheckResult(NamedTuple):
    """What came of a handshake: proof, or a diagnosis.

    Neither where the encryption turned out to be none and a password was not sent: it needs
    an explicit yes.
    encryption: what was tried, where it was to be found out first.
    """

    proof: Proof | None = None
    diagnosis: Diagnosis | None = None
    encryption: Encryption | None = None


async def async_check(
    hass: HomeAssistant, draft: Draft, observer: StageObserver | None = None
) -> CheckResult:
    """Go through the handshake and, where it fails, look for what would help."""
    for needed in ("smtp.keepalive", "verify.handshake", "verify.remedy"):
        await async_import_module(hass, f"{_MAIL}.{needed}")
    from ..mail.verify.remedy import Diagnosis, with_remedy

    settings = draft.settings()
    try:
        context = await _async_context(hass, settings)
    except MailError as error:
        return CheckResult(diagnosis=Diagnosis(error.failure))
    seek = partial(
        with_remedy, sender=draft.sender, checked=context, unchecked=client_context_no_verify()
    )
    speaks_smtp = False
    if settings.encryption is Encryption.AUTO:
        # Nothing was chosen that could be less secure than what is tried while that is unknown.
        assumed = replace(settings, encryption=Encryption.NONE)
        found = await seek(partial(_async_resolve, settings, context), assumed)
        if isinstance(found, Diagnosis):
            return CheckResult(diagnosis=_as_typed(found, assumed, draft))
        settings = found
        speaks_smtp = settings.port not in (SUBMISSIONS_PORT, SUBMISSION_PORT)
        speaks_smtp = speaks_smtp and settings.encryption is not Encryption.TLS
    if replace(draft, encryption=settings.encryption).needs_plain_consent:
        return CheckResult()
    attempt = partial(_async_prove, settings, context, draft.sender, observer, speaks_smtp)
    proof = await seek(attempt, settings)
    if isinstance(proof, Diagnosis):
        typed = _as_typed(proof, settings, draft)
        return CheckResult(diagnosis=typed, encryption=settings.encryption)
    return CheckResult(proof=proof)


async def _async_resolve(
    settings: ServerSettings, context: ssl.SSLContext, observer: StageObserver
) -> ServerSettings:
    """Find the encryption; its time after the greeting is taken from that of the handshake."""
    from ..mail.verify.handshake import resolve_encryption

    loop = asyncio.get_running_loop()
    greeted: list[float] = []

    def note(stage: Stage) -> None:
        observer(stage)
        if stage is Stage.HELLO:
            greeted.append(loop.time())

    settings = await resolve_encryption(settings, context, observer=note)
    left = settings.deadlines.handshake - (loop.time() - greeted[0] if greeted else 0)
    deadlines = replace(settings.deadlines, handshake=max(left, _LEAST))
    return replace(settings, deadlines=deadlines)


async def _async_prove(
    settings: ServerSettings,
    context: ssl.SSLContext,
    sender: str,
    observer: StageObserver | None,
    speaks_smtp: bool,
    note: StageObserver,
) -> Proof:
    """Prove settings; a token that is refused gets one second chance. Raises MailError."""
    from ..mail.smtp.keepalive import renew_token
    from ..mail.verify.handshake import prove

    def tell(stage: Stage) -> None:
        note(stage)
        if observer is not None:
            observer(stage)

    once = partial(prove, settings, context, sender, observer=tell, speaks_smtp=speaks_smtp)
    try:
        return await once()
    except MailError as error:
        if not await renew_token(settings.login, error.failure):
            raise
    return await once()


async def async_send_test(
    hass: HomeAssistant,
    draft: Draft,
    recipient: str,
    subject: str,
    *,
    text: str,
    markdown: str,
    words: Words,
) -> RecipientOutcome:
    """Send a test mail with settings that are not saved yet; return what became of it.

    text, markdown: the same words, for those who read plain text and in the layout of our mails.
    """
    for needed in ("compose.message", "smtp.keepalive"):
        await async_import_module(hass, f"{_MAIL}.{needed}")
    from ..mail.compose.content import Content, Layout
    from ..mail.compose.message import compose
    from ..mail.smtp.keepalive import deliver_once

    settings = draft.settings()
    try:
        content = Content(
            sender=parse_mailbox(draft.sender, FailureKind.INVALID_SENDER).named(
                draft.sender_name or ""
            ),
            to=(parse_mailbox(recipient),),
            subject=subject,
            text=text,
            markdown=markdown,
            home_name=hass.config.location_name,
            language=hass.config.language,
            layout=Layout.CARD,
            icon="\u2705",
            words=words,
        )
        context = await _async_context(hass, settings)
    except MailError as error:
        return RecipientOutcome(recipient, failure=error.failure)
    mail = await hass.async_add_executor_job(lambda: compose(content, now=dt_util.now()))
    delivery = await deliver_once(settings, context, mail.envelope, mail.data)
    return delivery.outcomes[0]


async def async_discover(hass: HomeAssistant, sender: str) -> Discovery:
    """Find the server for a sender within a few seconds. Raises MailError for no address."""
    await async_import_module(hass, f"{_MAIL}.discovery.discover")
    await async_import_module(hass, f"{_MAIL}.verify.handshake")
    from ..mail.discovery.discover import discover
    from ..mail.discovery.dns import SystemResolver
    from ..mail.discovery.providers import load
    from ..mail.discovery.web import SessionFetch

    providers = await hass.async_add_executor_job(load)
    async with SystemResolver() as resolver:
        return await discover(
            sender,
            resolver=resolver,
            fetch=SessionFetch(async_get_clientsession(hass), (ClientError,)),
            listen=_listen,
            providers=providers,
        )


async def async_meant_address(hass: HomeAssistant, sender: str) -> str | None:
    """Return the address at a known provider that a misspelt one probably stands for, or None.

    Raises MailError for no address.
    """
    await async_import_module(hass, f"{_MAIL}.discovery.providers")
    from ..mail.discovery.dns import SystemResolver
    from ..mail.discovery.providers import load, meant_domain

    mailbox = parse_mailbox(sender, FailureKind.INVALID_SENDER)
    providers = await hass.async_add_executor_job(load)
    async with SystemResolver() as resolver:
        domain = await meant_domain(mailbox.domain, resolver, providers)
    return None if domain is None else f"{mailbox.address.rpartition('@')[0]}@{domain}"


async def async_provider_of(hass: HomeAssistant, host: str, sender: str) -> Discovery | None:
    """Return what the table knows about a server that was typed, such as its fixed username."""
    await async_import_module(hass, f"{_MAIL}.discovery.providers")
    from ..mail.discovery.model import Discovery, Origin
    from ..mail.discovery.providers import load

    providers = await hass.async_add_executor_job(load)
    provider = providers.by_server(host.rstrip(".").lower())
    if provider is None:
        return None
    mailbox = parse_mailbox(sender, FailureKind.INVALID_SENDER)
    return Discovery.of_provider(Origin.TABLE, provider, mailbox)


async def _async_context(hass: HomeAssistant, settings: ServerSettings) -> ssl.SSLContext:
    """Return the context for the settings. Raises MailError for an unreadable CA file."""
    try:
        return await async_context_for(hass, settings.trust)
    except OSError as error:
        raise MailError(
            Failure(
                FailureKind.TLS_FAILED,
                Stage.TLS,
                Permanence.PERMANENT,
                detail=f"{settings.trust.ca_file}: {error}",
                facts={
                    "cause": Cause.CA_FILE.value,
                    "path": settings.trust.ca_file or "-",
                    "reason": file_fault(error),
                },
            )
        ) from error


def _as_typed(diagnosis: Diagnosis, settings: ServerSettings, draft: Draft) -> Diagnosis:
    """Return a diagnosis whose remedy leaves alone what was typed and need not change."""
    remedy = diagnosis.remedy
    if remedy is None or (remedy.port, remedy.encryption) != (settings.port, settings.encryption):
        return diagnosis
    return replace(diagnosis, remedy=replace(remedy, encryption=draft.encryption))


async def _listen(host: str, port: int) -> Encryption | None:
    from ..mail.verify.handshake import encryption_at

    settings = ServerSettings(host, port, Encryption.NONE, deadlines=_SEARCHING)
    try:
        return await encryption_at(settings, client_context())
    except MailError:
        return None
