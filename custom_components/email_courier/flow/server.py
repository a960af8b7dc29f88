"""The pages of the set-up dialog about the server: address, server, certificate."""

from __future__ import annotations

import asyncio
from copy import replace
from typing import TYPE_CHECKING, Any

from homeassistant.config_entries import ConfigEntry, ConfigFlowResult
from homeassistant.core import callback

from ..const import (
    CONF_CA_FILE,
    CONF_HELLO_NAME,
    CONF_SENDER,
    CONF_TIMEOUT,
    CONF_TRUST_CERTIFICATE,
    DOMAIN,
)
from ..entry import is_sender_of
from ..mail.address import Mailbox, parse_mailbox
from ..mail.failure import FailureKind, MailError
from ..mail.settings import Encryption
from ..phrases import as_code
from ..recipients import format_mailbox
from .check import async_discover, async_meant_address
from .core_smtp import core_accounts
from .dialog import Dialog
from .forms import (
    CONF_GO_BACK,
    CONF_MANUAL,
    address_form,
    certificate_form,
    flat,
    server_form,
)
from .progress import Progress
from .texts import certificate_text, comparison_text, existing_text, origin_text

if TYPE_CHECKING:
    from ..mail.discovery.model import Discovery
    from ..mail.smtp.tls import Certificate


class ServerSteps(Dialog):
    """From the sender's address to a server."""

    def __init__(self) -> None:
        """Begin with nothing typed."""
        super().__init__()
        self._is_manual = False
        self._looked_up = ""
        self._meant: str | None = None
        self._discovery: Progress[tuple[Discovery, str | None]] = Progress()

    @property
    def follows_menu(self) -> bool:
        """Whether a menu comes before the address: there is something to take over."""
        return self.own_entry is None and bool(core_accounts(self.hass))

    async def async_step_address(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for the sender's address."""
        if user_input is not None:
            typed = flat(user_input)
            self.forget_errors()
            self.draft = replace(
                self.draft, sender=typed.get(CONF_SENDER, "").strip(), sender_name=None
            )
            self._is_manual = typed.get(CONF_MANUAL, False)
            if typed.get(CONF_GO_BACK):
                return await self.go_to("login" if self.login_is_known else "user")
            if self._check_sender():
                return await self._after_address()
        is_new = self.own_entry is None and not self.login_is_known
        phrases = await self.async_phrases()
        return await self.async_page(
            "address",
            address_form(
                offers_lookup=is_new, offers_back=self.login_is_known or self.follows_menu
            ),
            {CONF_SENDER: self._sender_as_typed, CONF_MANUAL: self._is_manual},
            existing=existing_text(self._others, phrases),
        )

    async def async_step_discovery(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Look for the server of the address, and for a slip of the finger in it."""
        page = self._discovery.page(self, "discovery", self._look_up)
        if page is not None:
            return page
        self.found, self._meant = self._discovery.result()
        self.draft = self.draft.with_discovery(self.found)
        step = self._page_after_discovery() if self._meant is None else "did_you_mean"
        return self.async_show_progress_done(next_step_id=step)

    async def async_step_did_you_mean(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask whether the address was misspelt."""
        return self.async_show_menu(
            step_id="did_you_mean",
            menu_options=["corrected", "as_typed"],
            description_placeholders={"meant": self._meant or "", "typed": self.draft.sender},
        )

    async def async_step_corrected(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Go on with the address that was meant."""
        self.draft = replace(self.draft, sender=self._meant or self.draft.sender)
        return await self._after_address()

    async def async_step_as_typed(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Go on with the address as it is."""
        return await self.go_to(self._page_after_discovery())

    async def async_step_server(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for the server, filled in with what is known about it."""
        if user_input is not None:
            typed = flat(user_input)
            self.forget_errors()
            self._take_server(typed)
            if typed.get(CONF_GO_BACK):
                self.login_is_known = False
                return await self.go_to("address")
            if self.check_server():
                return await self._after_server()
        if self._certificate_in_question is not None:
            return await self.go_to("certificate")
        self.skips_server = False
        phrases = await self.async_phrases()
        known = [other for other in self._others if is_sender_of(other, self.draft.sender)]
        origin = [existing_text(known, phrases), origin_text(self.found, phrases)]
        return await self.async_page(
            "server",
            server_form(),
            {**self.draft.server(), **self.draft.options()},
            origin="\n\n".join(text for text in origin if text),
        )

    async def async_step_certificate(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask whether the one certificate that the server shows is to be trusted."""
        certificate = self._certificate_in_question
        if user_input is not None:
            typed = flat(user_input)
            self.forget_errors()
            if typed.get(CONF_GO_BACK):
                return await self.go_to("server")
            # Without a yes none is pinned any more, and the authorities decide again.
            is_trusted = certificate is not None and typed.get(CONF_TRUST_CERTIFICATE, False)
            trusted = certificate.fingerprint if certificate and is_trusted else None
            self.draft = replace(self.draft, certificate_fingerprint=trusted)
            return await self._after_server()
        phrases = await self.async_phrases()
        return await self.async_page(
            "certificate",
            certificate_form(),
            {},
            certificate=certificate_text(certificate, self.failed, phrases),
            compare=as_code(comparison_text(self.failed, self.tried)),
        )

    @callback
    def async_remove(self) -> None:
        """Note that the dialog was closed."""
        super().async_remove()
        self._discovery.close()

    async def _look_up(self) -> tuple[Discovery, str | None]:
        """Return what is known about the sender, and the address that was meant instead."""
        found, meant = await asyncio.gather(
            async_discover(self.hass, self.draft.sender),
            async_meant_address(self.hass, self.draft.sender),
        )
        return found, None if found.best is not None else meant

    async def _after_address(self) -> ConfigFlowResult:
        if self.login_is_known:
            return await self.prove()
        if self.own_entry is None and not self._is_manual and self._looked_up != self.draft.sender:
            self._looked_up = self.draft.sender
            return await self.go_to("discovery")
        return await self.go_to("server")

    def _page_after_discovery(self) -> str:
        """Return the login's page where one server is certain, else the server's.

        A second account of the same sender is most often one at another server.
        """
        is_known = any(is_sender_of(other, self.draft.sender) for other in self._others)
        self.skips_server = not is_known and _is_settled(self.found)
        return "login" if self.skips_server else "server"

    async def _after_server(self) -> ConfigFlowResult:
        if self.login_is_known and not self._is_password_astray:
            return await self.prove()
        await self.async_recognise_provider()
        return await self.go_to("login")

    @property
    def _others(self) -> list[ConfigEntry]:
        """The accounts that are set up already, where a new one is being added."""
        if self.own_entry is not None:
            return []
        return self.hass.config_entries.async_entries(DOMAIN, include_ignore=False)

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
        self.draft = replace(
            self.draft.at_typed_server(typed),
            ca_file=typed.get(CONF_CA_FILE) or None,
            hello_name=typed.get(CONF_HELLO_NAME) or None,
            timeout=typed.get(CONF_TIMEOUT),
        )

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


def _is_settled(found: Discovery | None) -> bool:
    """Whether there is nothing to choose and nothing to look at: one server, and encrypted."""
    best = found.best if found is not None else None
    return (
        found is not None
        and best is not None
        and best.verified
        and best.encryption is not Encryption.NONE
        and all(candidate.host == best.host for candidate in found.candidates)
    )
