"""The pages of the set-up dialog about the server: address, server, certificate."""

from __future__ import annotations

from copy import replace
from typing import TYPE_CHECKING, Any

from homeassistant.config_entries import ConfigFlowResult
from homeassistant.const import CONF_HOST, CONF_PORT, CONF_VERIFY_SSL
from homeassistant.core import callback

from ..const import (
    CONF_CA_FILE,
    CONF_ENCRYPTION,
    CONF_HELLO_NAME,
    CONF_SENDER,
    CONF_TIMEOUT,
    CONF_TRUST_CERTIFICATE,
)
from ..mail.address import Mailbox, parse_mailbox
from ..mail.failure import FailureKind, MailError, Stage
from ..mail.hostname import host_to_ascii, is_hello_name
from ..mail.settings import SUBMISSION_PORT, SUBMISSIONS_PORT, Encryption
from ..mail.smtp.tls import Certificate
from ..recipients import format_mailbox
from .check import async_discover, async_provider_of
from .core_smtp import core_accounts
from .dialog import Dialog
from .forms import (
    CONF_ADVANCED,
    CONF_GO_BACK,
    CONF_MANUAL,
    address_form,
    certificate_form,
    server_form,
)
from .pasted import server_in
from .progress import Progress
from .texts import certificate_text, origin_text, typing_error

if TYPE_CHECKING:
    from ..mail.discovery.model import Discovery


class ServerSteps(Dialog):
    """From the sender's address to a server."""

    def __init__(self) -> None:
        """Begin with nothing typed."""
        super().__init__()
        self._is_manual = False
        self._looked_up = ""
        self._discovery: Progress[Discovery] = Progress()

    @property
    def follows_menu(self) -> bool:
        """Whether a menu comes before the address: there is something to take over."""
        return self.own_entry is None and bool(core_accounts(self.hass))

    async def async_step_address(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for the sender's address."""
        if user_input is not None:
            self.forget_errors()
            self.draft = replace(
                self.draft, sender=user_input.get(CONF_SENDER, "").strip(), sender_name=None
            )
            self._is_manual = user_input.get(CONF_MANUAL, False)
            if user_input.get(CONF_GO_BACK):
                return await self.go_to("login" if self.login_is_known else "user")
            if self._check_sender():
                return await self._after_address()
        is_new = self.own_entry is None and not self.login_is_known
        return await self.async_page(
            "address",
            address_form(
                offers_lookup=is_new,
                offers_back=self.login_is_known or self.follows_menu,
            ),
            {CONF_SENDER: self._sender_as_typed, CONF_MANUAL: self._is_manual},
        )

    async def async_step_discovery(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Look for the server of the address."""
        page = self._discovery.page(
            self, "discovery", lambda: async_discover(self.hass, self.draft.sender)
        )
        if page is not None:
            return page
        self.found = self._discovery.result()
        self.draft = self.draft.with_discovery(self.found)
        return self.async_show_progress_done(next_step_id="server")

    async def async_step_server(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for the server, filled in with what is known about it."""
        if user_input is not None:
            self._take_server(user_input)
            if user_input.get(CONF_GO_BACK):
                self.login_is_known = False
                return await self.go_to("address")
            if self._check_server():
                if self.login_is_known and not self._is_password_astray:
                    return await self.prove()
                await self.async_recognise_provider()
                return await self.go_to("login")
        offers_trust = self._certificate_in_question is not None
        shown = self.diagnosis.certificate if self.diagnosis else None
        phrases = await self.async_phrases()
        return await self.async_page(
            "certificate" if offers_trust else "server",
            certificate_form() if offers_trust else server_form(),
            {**self.draft.server(), CONF_ADVANCED: self.draft.options()},
            origin=origin_text(self.found, phrases),
            certificate=certificate_text(shown, self.failed, phrases),
        )

    async_step_certificate = async_step_server

    @callback
    def async_remove(self) -> None:
        """Note that the dialog was closed."""
        super().async_remove()
        self._discovery.close()

    async def async_recognise_provider(self) -> None:
        """Know a provider by its server, with its hints and the username that it fixes."""
        found = self.found
        if found is not None and self.draft.host in {server.host for server in found.candidates}:
            return
        self.found = await async_provider_of(self.hass, self.draft.host, self.draft.sender)
        proposed = found.username if found is not None else None
        if (
            self.found is not None
            and self.stored is None
            and self.draft.username in (None, proposed)
        ):
            self.draft = replace(self.draft, username=self.found.username)

    async def _after_address(self) -> ConfigFlowResult:
        if self.login_is_known:
            return await self.prove()
        if self.own_entry is None and not self._is_manual and self._looked_up != self.draft.sender:
            self._looked_up = self.draft.sender
            return await self.go_to("discovery")
        return await self.go_to("server")

    def _check_sender(self) -> bool:
        try:
            mailbox = parse_mailbox(self.draft.sender, FailureKind.INVALID_SENDER)
        except MailError as error:
            self.fail(error.failure, CONF_SENDER)
            return False
        self.draft = replace(self.draft, sender=mailbox.address, sender_name=mailbox.name or None)
        return True

    @property
    def _sender_as_typed(self) -> str:
        """The sender with the name beside it; a field with an error holds what was typed."""
        draft = self.draft
        if draft.sender_name is None:
            return draft.sender
        return format_mailbox(Mailbox(draft.sender, draft.sender_name))

    def _take_server(self, typed: dict[str, Any]) -> None:
        before, certificate = self.draft, self._certificate_in_question
        self.forget_errors()
        advanced = typed.get(CONF_ADVANCED, {})
        server = server_in(typed.get(CONF_HOST, ""))
        port: int = typed[CONF_PORT] if server.port is None else server.port
        if server.encryption is Encryption.TLS and port == SUBMISSION_PORT and server.port is None:
            port = SUBMISSIONS_PORT
        self.draft = before.at_server(
            host=server.host,
            port=port,
            encryption=server.encryption or Encryption(typed[CONF_ENCRYPTION]),
            verify_ssl=typed[CONF_VERIFY_SSL],
            ca_file=advanced.get(CONF_CA_FILE) or None,
            hello_name=advanced.get(CONF_HELLO_NAME) or None,
            timeout=advanced.get(CONF_TIMEOUT),
        )
        if certificate is None or typed.get(CONF_GO_BACK):
            return
        # The answer is about the certificate that was shown. Without a yes none is pinned any
        # more, and the authorities decide again.
        is_same = (self.draft.host, self.draft.port) == (before.host, before.port)
        trusted = certificate.fingerprint if typed[CONF_TRUST_CERTIFICATE] and is_same else None
        self.draft = replace(self.draft, certificate_fingerprint=trusted)

    def _check_server(self) -> bool:
        try:
            host_to_ascii(self.draft.host)
        except UnicodeError:
            self.fail(
                typing_error(FailureKind.HOST_NOT_FOUND, Stage.RESOLVE, "host_malformed"), CONF_HOST
            )
        name = self.draft.hello_name
        if name is not None and not is_hello_name(name):
            self.fail(typing_error(FailureKind.HELO_REJECTED, Stage.HELLO, "hello_malformed"))
        return not self.errors

    @property
    def _is_password_astray(self) -> bool:
        """Whether a stored password, which nobody has typed here, would go to another server."""
        return (
            self.keeps_password
            and self.stored is not None
            and not self.draft.has_login_of(self.stored)
        )

    @property
    def _certificate_in_question(self) -> Certificate | None:
        """The certificate that a person is asked to trust."""
        if self.failure is None or self.failure.kind is not FailureKind.CERTIFICATE_UNTRUSTED:
            return None
        return self.diagnosis.certificate if self.diagnosis else None
