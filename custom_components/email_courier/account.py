"""One loaded account: its settings, its courier, and what its entities show."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from functools import partial
import ssl
from typing import TYPE_CHECKING, Any, Final

from homeassistant.config_entries import ConfigEntry, ConfigEntryState
from homeassistant.const import CONF_TOKEN, EVENT_HOMEASSISTANT_STOP
from homeassistant.core import CALLBACK_TYPE, Context, Event, HomeAssistant, callback
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers.importlib import async_import_module
from homeassistant.helpers.network import NoURLAvailableError, get_url
from homeassistant.helpers.start import async_at_started
from homeassistant.util import dt as dt_util

from .const import (
    CONF_CA_FILE,
    CONF_DEFAULT_SUBJECT,
    CONF_DROP_LARGE_ATTACHMENTS,
    CONF_HELLO_NAME,
    CONF_LAYOUT,
    CONF_REPLY_TO,
    CONF_SENDER,
    CONF_SENDER_NAME,
    CONF_TIMEOUT,
    DOMAIN,
    SUBENTRY_RECIPIENT,
    SUBENTRY_REPORT,
    SUBJECT_FIRST_LINE,
    SUBJECT_OF_CORE,
)
from .entry import settings_of
from .errors import (
    error_for_content,
    error_for_disk,
    error_for_failure,
    error_for_outbox,
    request_error,
)
from .mail.address import Mailbox, parse_mailbox, parse_mailboxes
from .mail.compose.content import Attachment, Content, ContentError, Layout, Priority, Words
from .mail.failure import FailureKind, MailError
from .mail.outbox.courier import Courier, CourierConfig
from .mail.outbox.events import CourierEvent, Paused, StateChanged
from .mail.outbox.store import Store
from .mail.outbox.submission import DAY, Origin, OutboxError, OutgoingMail, Rank, Receipt
from .mail.settings import ServerSettings
from .message_size import NOTHING_FITS, async_lighten, dropped_attachments
from .outbox_host import outbox_folder, outbox_host
from .phrases import Phrases, words_of
from .recipients import Recipients

if TYPE_CHECKING:
    from .mail.compose.message import ComposedMail
    from .mail.envelope import Delivery, Envelope, Peek
    from .mail.payload import Payload
    from .mail.smtp.keepalive import KeepaliveSession
    from .mail.smtp.session import Proof
    from .oauth.tokens import GrantedTokens

type EmailCourierConfigEntry = ConfigEntry[Account]
type BeforeSending = Callable[[ComposedMail], Awaitable[None]]
type EventListener = Callable[[CourierEvent], None]

_LOADED: Final = (ConfigEntryState.LOADED, ConfigEntryState.FAILED_UNLOAD)
"""An account whose entities could not be removed goes on sending."""
_COMPOSING: Final = f"{__package__}.mail.compose.message"
_SESSION: Final = f"{__package__}.mail.smtp.keepalive"
_PROVIDERS: Final = f"{__package__}.mail.discovery.providers"
_OF_THE_SESSION: Final = (CONF_CA_FILE, CONF_HELLO_NAME, CONF_TIMEOUT)
_URGENT: Final = (Priority.HIGH, Priority.HIGHEST)


class Account:
    """Everything a loaded config entry needs to send mail.

    tokens: what it logs in with where somebody has signed in.
    classic_action: what its action in the domain `notify` is called, once that is there.
    """

    def __init__(
        self,
        hass: HomeAssistant,
        entry: EmailCourierConfigEntry,
        context: ssl.SSLContext,
        config: CourierConfig,
        tokens: GrantedTokens | None = None,
    ) -> None:
        """Take the settings of an entry; nothing is connected yet."""
        self.hass = hass
        self.entry = entry
        self.tokens = tokens
        self.classic_action = ""
        self.settings: ServerSettings = settings_of(entry.data, entry.options, tokens=tokens)
        self.sender = _sender(entry)
        self.words = Words()
        self._recipients: dict[str, Recipients] = {}
        self._context = context
        self._session: KeepaliveSession | None = None
        self._warming_up: asyncio.Task[None] | None = None
        self._loaded = _fixed(entry)
        self._token = entry.data.get(CONF_TOKEN)
        self._is_provider_known = False
        self._is_paused = False
        self._composing = asyncio.Lock()
        self._change_listeners: list[Callable[[], None]] = []
        self.courier = Courier(
            deliver=self._async_deliver,
            store=Store(outbox_folder(hass, entry.entry_id)),
            host=outbox_host(hass),
            listener=self._watch,
            config=config,
        )

    @property
    def server(self) -> str:
        """The server and its port."""
        return f"{self.settings.host}:{self.settings.port}"

    @property
    def proof(self) -> Proof | None:
        """What the server has shown at the last connection since the account was loaded."""
        if self._session is None or self._session.latest is None:
            return None
        from .mail.smtp.session import proof_of  # noqa: PLC0415 - it is there with the session

        return proof_of(self._session.latest)

    @property
    def needs_reload(self) -> bool:
        """Whether something of the entry has changed that only another session can go by."""
        token = self.entry.data.get(CONF_TOKEN)
        own = None if self.tokens is None else self.tokens.token
        return (token not in (self._token, own)) or self._loaded != _fixed(self.entry)

    @callback
    def async_take_up(self, config: CourierConfig) -> None:
        """Go by changed options and recipients: waiting mail, timers and the session stay."""
        self.sender = _sender(self.entry)
        self._recipients.clear()
        self.courier.configure(config)
        self._async_tell_change()

    @callback
    def async_on_change(self, listener: Callable[[], None]) -> CALLBACK_TYPE:
        """Tell a listener of changed options and recipients, a pause, and mail sent again."""
        self._change_listeners.append(listener)
        return partial(self._change_listeners.remove, listener)

    @callback
    def _async_tell_change(self) -> None:
        for listener in tuple(self._change_listeners):
            listener()

    async def async_open(self) -> None:
        """Take note of waiting mail; nothing can be sent before."""
        self.words = words_of(await Phrases.async_load(self.hass))
        device = self._device()
        self._is_provider_known = (
            device is not None and device.model is not None and device.model_id == self.server
        )
        self.courier.open()

    @callback
    def async_start(self) -> None:
        """Deliver waiting mail; the network is left alone until Home Assistant has started."""
        self.entry.async_on_unload(
            self.hass.bus.async_listen_once(EVENT_HOMEASSISTANT_STOP, self._async_on_stop)
        )
        self.entry.async_on_unload(async_at_started(self.hass, self._async_on_started))

    async def async_stop(self) -> None:
        """End what is under way; what is not delivered is on disk afterwards."""
        await self.courier.stop()
        if self._warming_up is not None:
            self._warming_up.cancel()
        if self._session is not None:
            self._session.close()

    @callback
    def async_warm_up(self) -> None:
        """Open the session while a mail is being made, unless something is known that keeps it."""
        is_under_way = self._warming_up is not None and not self._warming_up.done()
        if self.courier.is_up and not is_under_way:
            self._warming_up = self.hass.async_create_background_task(
                self._async_warm_up(), f"{DOMAIN} session ahead"
            )

    @callback
    def async_listen(self, listener: EventListener) -> CALLBACK_TYPE:
        """Tell a listener of everything that becomes of this account's mail."""
        return self.courier.listen(listener)

    @property
    def layout(self) -> Layout:
        """What mail is shown in where neither the action nor the recipient says so."""
        return Layout(self.entry.options.get(CONF_LAYOUT, Layout.CARD))

    def layout_for(self, *subentry_ids: str) -> Layout:
        """Return the layout of mail to recipients, the account's where they do not agree."""
        wanted = {
            self.entry.subentries[subentry_id].data.get(CONF_LAYOUT) for subentry_id in subentry_ids
        }
        own = wanted.pop() if len(wanted) == 1 else None
        return self.layout if own is None else Layout(own)

    def recipients(self, subentry_id: str) -> Recipients:
        """Return who is behind a recipient. Raises KeyError for no subentry of the account."""
        if subentry_id not in self._recipients:
            subentry = self.entry.subentries[subentry_id]
            self._recipients[subentry_id] = Recipients.of_subentry(subentry)
        return self._recipients[subentry_id]

    def content(
        self,
        *,
        to: tuple[Mailbox, ...] = (),
        sender_name: str | None = None,
        reply_to: tuple[Mailbox, ...] | None = None,
        subject: str | None = None,
        **fields: Any,
    ) -> Content:
        """Return content from this account's sender, with the account's own defaults."""
        if not subject and self.entry.options.get(CONF_DEFAULT_SUBJECT) == SUBJECT_FIRST_LINE:
            fields["default_subject"] = SUBJECT_OF_CORE
        if reply_to is None:
            own = self.entry.options.get(CONF_REPLY_TO)
            reply_to = parse_mailboxes(own) if own else ()
        return Content(
            sender=self.sender if sender_name is None else self.sender.named(sender_name),
            to=to,
            reply_to=reply_to,
            subject=subject or ("" if "default_subject" in fields else SUBJECT_OF_CORE),
            home_name=self.hass.config.location_name,
            language=self.hass.config.language,
            base_url=_base_url(self.hass) if _has_links(fields) else None,
            words=self.words,
            **fields,
        )

    async def async_compose(self, content: Content) -> ComposedMail:
        """Compose, off the event loop where it takes a while. Raises ServiceValidationError."""
        await async_import_module(self.hass, _COMPOSING)
        from .mail.compose.message import compose  # noqa: PLC0415 - a start goes without

        work = partial(compose, content, now=dt_util.now())
        try:
            if not content.is_cheap_to_compose:
                return await self.hass.async_add_executor_job(work)
            # One in each round of the event loop: of many calls at once, the first mail is on its
            # way while the others are composed.
            await self._composing.acquire()
            self.hass.loop.call_soon(self._composing.release)
            return work()
        except ContentError as error:
            raise error_for_content(error) from error

    async def async_send(
        self,
        content: Content,
        *,
        queue: bool = True,
        expires_after: float = DAY,
        left_out: list[Attachment] | None = None,
        origin: Origin | None = None,
        before: BeforeSending | None = None,
    ) -> Receipt:
        """Send a mail or keep it until it can be sent.

        expires_after: seconds. left_out: takes what was too large, where the options leave that
        out; without it, all of the mail is needed. origin: who has it sent.
        before: what is to be done once the mail is composed, before anybody can get it.
        Raises HomeAssistantError when nobody got it and nobody will.
        """
        submit = partial(
            self._async_submit,
            queue=queue,
            expires_after=expires_after,
            origin=origin,
            before=before,
        )
        if left_out is not None and self.entry.options.get(CONF_DROP_LARGE_ATTACHMENTS):
            return await self._async_raising(
                self._async_submit_lightened(content, submit, left_out)
            )
        return await self._async_raising(submit(content))

    async def async_send_again(self, message_id: str, origin: Origin) -> Receipt | None:
        """Send a given-up mail to those who did not get it; None where none is kept.

        Raises HomeAssistantError when nobody gets it again.
        """
        try:
            return await self._async_raising(
                self.courier.send_again(message_id, sender=self.sender.address, origin=origin)
            )
        except OSError as error:
            raise error_for_disk(error, account=self.entry.title) from error
        finally:
            self._async_tell_change()

    async def _async_raising[T](self, work: Awaitable[T]) -> T:
        """Have something sent. Raises HomeAssistantError."""
        try:
            return await work
        except MailError as error:
            raise error_for_failure(error.failure, account=self.entry.title) from error
        except OutboxError as error:
            raise error_for_outbox(error, account=self.entry.title) from error

    async def _async_submit_lightened(
        self,
        content: Content,
        submit: Callable[[Content], Awaitable[Receipt]],
        left_out: list[Attachment],
    ) -> Receipt:
        """Leave out what is too large by the limit that is known, or that the server then says."""
        whole = content
        proof = self.proof
        if proof is not None and proof.size_limit:
            content = await async_lighten(self.hass, content, proof.size_limit)
        try:
            receipt = await submit(content)
        except MailError as error:
            failure = error.failure
            if failure.kind is not FailureKind.MESSAGE_TOO_LARGE:
                raise
            limit = int(failure.facts.get("limit", NOTHING_FITS))
            lighter = await async_lighten(self.hass, content, limit)
            if lighter is content:
                raise
            receipt = await submit(lighter)
            content = lighter
        left_out += dropped_attachments(whole, content)
        return receipt

    async def _async_submit(
        self,
        content: Content,
        *,
        queue: bool,
        expires_after: float,
        origin: Origin | None,
        before: BeforeSending | None = None,
    ) -> Receipt:
        """Compose a mail and hand it to the courier. Raises MailError and OutboxError.

        It may have been reloaded while pictures were fetched and the mail was composed: then
        another courier has the folder, and this one must not be given anything.
        """
        mail = await self.async_compose(content)
        if before is not None:
            try:
                await before(mail)
            except OSError as error:
                raise error_for_disk(error, account=self.entry.title) from error
        outgoing = OutgoingMail(
            envelope=mail.envelope,
            data=mail.data,
            message_id=mail.message_id,
            subject=mail.subject,
            rank=Rank.HIGH if content.priority in _URGENT else Rank.NORMAL,
            expires_after=expires_after,
            queue=queue,
            origin=origin,
        )
        if self.entry.state not in _LOADED:
            await async_reloaded(self.entry)
        account = loaded_account(self.hass, self.entry.entry_id)
        if account is None:
            raise request_error("account_not_loaded", account=self.entry.title)
        return await account.courier.submit(outgoing)

    async def _async_deliver(
        self,
        envelope: Envelope,
        data: Payload,
        *,
        before_dot: Callable[[], Awaitable[None]] | None,
        peek: Peek | None,
    ) -> Delivery:
        session = await self._async_session()
        return await session.deliver(envelope, data, before_dot=before_dot, peek=peek)

    async def _async_warm_up(self) -> None:
        session = await self._async_session()
        await session.warm_up()

    async def _async_session(self) -> KeepaliveSession:
        """Return the session that the account keeps, which may not be open yet."""
        await async_import_module(self.hass, _SESSION)
        from .mail.smtp.keepalive import KeepaliveSession  # noqa: PLC0415 - a start goes without

        if self._session is None:
            self._session = KeepaliveSession(self.settings, self._context)
        return self._session

    @callback
    def _watch(self, event: CourierEvent) -> None:
        if isinstance(event, Paused):
            self.entry.async_start_reauth(self.hass, data={"failure": event.failure.as_dict()})
        elif isinstance(event, StateChanged) and event.state.is_suspended is not self._is_paused:
            self._is_paused = event.state.is_suspended
            self._async_tell_change()

    async def _async_on_started(self, _hass: HomeAssistant) -> None:
        await self.courier.start()
        await self._async_session()  # so that no mail has to wait for it, nor for what composes
        await async_import_module(self.hass, _COMPOSING)
        if not self._is_provider_known:
            await self._async_name_provider()

    async def _async_name_provider(self) -> None:
        """Let the account's device say whose server it is."""
        await async_import_module(self.hass, _PROVIDERS)
        from .mail.discovery.providers import load  # noqa: PLC0415 - a start goes without

        provider = (await self.hass.async_add_executor_job(load)).by_server(self.settings.host)
        if self.hass.is_stopping:
            return  # the registry has been written; the next start names it
        if (device := self._device()) is not None:
            dr.async_get(self.hass).async_update_device(
                device.id, model="SMTP" if provider is None else provider.name
            )

    def _device(self) -> dr.DeviceEntry | None:
        entry_id = self.entry.entry_id
        registry = dr.async_get(self.hass)
        return registry.async_get_device_by_identifier((DOMAIN, entry_id), entry_id)

    async def _async_on_stop(self, _event: Event) -> None:
        await self.async_stop()


def origin_of(context: Context | None, subentry_ids: Iterable[str] = ()) -> Origin:
    """Return who has a mail sent, as the outbox remembers it."""
    if context is None:
        return Origin(recipients=tuple(subentry_ids))
    return Origin(context.id, context.parent_id, context.user_id, tuple(subentry_ids))


@callback
def loaded_account(hass: HomeAssistant, entry_id: str) -> Account | None:
    """Return the account of a config entry; None while it is not loaded, or is another's."""
    entry = hass.config_entries.async_get_entry(entry_id)
    if entry is None or entry.domain != DOMAIN or entry.state not in _LOADED:
        return None
    account: Account = entry.runtime_data
    return account


async def async_reloaded(entry: EmailCourierConfigEntry) -> None:
    """Wait for a set-up, a reload or a removal that is under way."""
    async with entry.setup_lock:
        pass


def _sender(entry: EmailCourierConfigEntry) -> Mailbox:
    address = parse_mailbox(entry.data[CONF_SENDER], FailureKind.INVALID_SENDER)
    return address.named(entry.options.get(CONF_SENDER_NAME, ""))


def _fixed(entry: EmailCourierConfigEntry) -> tuple[Any, ...]:
    """Return what an account goes by as long as it is loaded, but for its token."""
    data = {name: value for name, value in entry.data.items() if name != CONF_TOKEN}
    options = {name: entry.options.get(name) for name in _OF_THE_SESSION}
    others = {
        subentry_id: subentry
        for subentry_id, subentry in entry.subentries.items()
        if subentry.subentry_type not in (SUBENTRY_RECIPIENT, SUBENTRY_REPORT)
    }
    return data, options, entry.title, others


def _has_links(fields: dict[str, Any]) -> bool:
    return any(fields.get(name) for name in ("markdown", "button", "actions"))


def _base_url(hass: HomeAssistant) -> str | None:
    try:
        return get_url(hass, prefer_external=True, allow_internal=True)
    except NoURLAvailableError:
        return None
