"""The last pages of the set-up dialog: summary, test mail, saving."""

from __future__ import annotations

from collections.abc import Mapping
from copy import replace
from typing import TYPE_CHECKING, Any

from homeassistant.config_entries import ConfigFlowResult, ConfigSubentryData
from homeassistant.core import callback
from homeassistant.util import dt as dt_util

from ..const import (
    CONF_CA_FILE,
    CONF_DEFAULT_SUBJECT,
    CONF_HELLO_NAME,
    CONF_SENDER,
    CONF_SENDER_NAME,
    CONF_TEST_RECIPIENT,
    CONF_TIMEOUT,
    CONF_TO,
    SUBENTRY_RECIPIENT,
    SUBJECT_FIRST_LINE,
)
from ..entry import async_save
from ..mail.envelope import RecipientOutcome
from ..phrases import as_code, words_of
from ..recipients import format_mailbox
from .check import async_send_test
from .dialog import Dialog
from .draft import Draft
from .forms import CONF_GO_BACK, finish_form, flat, tested_form
from .progress import Progress
from .texts import NEXT_PAGES, NEXT_STEPS

if TYPE_CHECKING:
    from ..account import EmailCourierConfigEntry

NEW_ACCOUNT = {CONF_DEFAULT_SUBJECT: SUBJECT_FIRST_LINE}
"""Options that an account begins with; accounts made by 1.0.0 are without them."""
_ASKED_FOR = (CONF_HELLO_NAME, CONF_CA_FILE, CONF_TIMEOUT)
"""Options that the dialog shows, so that it can also take them away."""
_ASKED_FOR_WHEN_NEW = (*_ASKED_FOR, CONF_SENDER_NAME)


class FinishSteps(Dialog):
    """From proven settings to an account."""

    def __init__(self) -> None:
        """Begin with nobody to write to."""
        super().__init__()
        self.test_recipient = ""
        self.has_tested = False
        self._name: str | None = None
        self._name_before: str | None = None
        self._reply = ""
        self._test_mail = Progress[RecipientOutcome]()

    async def async_step_finish(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Sum up what was proven, and offer a test mail with the settings not yet saved."""
        is_new = self.own_entry is None
        if user_input is not None:
            typed = flat(user_input)
            self.forget_errors()
            self.test_recipient = typed.get(CONF_TEST_RECIPIENT, "").strip()
            if is_new:
                self._name = " ".join(typed.get(CONF_SENDER_NAME, "").split())
                self._name_before = self.draft.sender_name
            if typed.get(CONF_GO_BACK):
                self.login_is_known = False
                return await self.go_to("login")
            return await self.go_to("test_mail" if self.test_recipient else "save")
        return await self.async_page(
            "finish",
            finish_form(offers_name=is_new),
            {CONF_SENDER_NAME: self._sender_name, CONF_TEST_RECIPIENT: self.test_recipient},
            summary="\n\n".join(filter(None, [self.summary, self.arrival])),
        )

    async def async_step_test_mail(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Send the test mail, and say what the server has answered."""
        if (page := self._test_mail.page(self, "test_mail", self._send_test)) is not None:
            return page
        outcome = self._test_mail.result()
        self.has_tested = outcome.accepted
        if outcome.failure is None:
            self.draft = replace(self.draft, delivered_at=dt_util.utcnow().isoformat())
            self._reply = str(outcome.reply or "")
            return self.async_show_progress_done(next_step_id="tested")
        self.fail(outcome.failure, CONF_TEST_RECIPIENT)
        return self.async_show_progress_done(next_step_id="finish")

    async def async_step_tested(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Show that the server has taken the test mail, and save the account."""
        if user_input is not None:
            goes_back = flat(user_input).get(CONF_GO_BACK)
            return await self.go_to("finish" if goes_back else "save")
        return await self.async_page(
            "tested",
            tested_form(),
            {},
            recipient=as_code(self.test_recipient),
            reply=as_code(self._reply),
        )

    async def async_step_save(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Make the account, or change it, unless another dialog has been faster.

        The recipients and the waiting mail of one that exists stay.
        """
        self.abort_if_configured()
        if (entry := self.own_entry) is not None:
            async_save(
                self.hass,
                entry,
                title=self._title(entry),
                data=self.draft.data(),
                options=self._options(entry.options),
            )
            return self.async_update_and_abort(entry)
        imported = self.imported
        return self.async_create_entry(
            title=self.draft.sender,
            description=NEXT_STEPS if imported and imported.recipients else None,
            description_placeholders=NEXT_PAGES,
            data=self.draft.data(),
            options=self._options({**NEW_ACCOUNT, **(imported.options if imported else {})}),
            subentries=[
                ConfigSubentryData(
                    subentry_type=SUBENTRY_RECIPIENT,
                    title=recipient.name,
                    data={CONF_TO: [format_mailbox(recipient.mailbox)]},
                    unique_id=None,
                )
                for recipient in (imported.recipients if imported else ())
            ],
        )

    @callback
    def async_remove(self) -> None:
        """Note that the dialog was closed."""
        super().async_remove()
        self._test_mail.close()

    async def _send_test(self) -> RecipientOutcome:
        phrases = await self.async_phrases()
        sender = self.draft.sender
        return await async_send_test(
            self.hass,
            self._named_draft,
            self.test_recipient,
            phrases.say("test_subject", home=self.hass.config.location_name),
            text=phrases.say("test_text", sender=sender),
            markdown=phrases.say("test_text", sender=as_code(sender)),
            words=words_of(phrases),
        )

    @property
    def _named_draft(self) -> Draft:
        """The draft with the name that was asked for last."""
        if self._name is None:
            return self.draft
        return replace(self.draft, sender_name=self._name or None)

    @property
    def _sender_name(self) -> str:
        """The name beside the address: as typed or taken over, else that of the home."""
        if self._name is not None and self._name_before == self.draft.sender_name:
            return self._name
        taken_over = self.imported.options.get(CONF_SENDER_NAME) if self.imported else None
        return self.draft.sender_name or taken_over or self.hass.config.location_name

    def _title(self, entry: EmailCourierConfigEntry) -> str:
        """Keep a title of the person's own; one that is the sender follows the sender."""
        return self.draft.sender if entry.title == entry.data[CONF_SENDER] else entry.title

    def _options(self, stored: Mapping[str, Any]) -> dict[str, Any]:
        """Return the options with those that the dialog sets."""
        asked_for = _ASKED_FOR_WHEN_NEW if self.own_entry is None else _ASKED_FOR
        others = {name: value for name, value in stored.items() if name not in asked_for}
        return {**others, **self._named_draft.options()}
