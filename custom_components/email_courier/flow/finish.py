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
    CONF_TEST_RECIPIENT,
    CONF_TIMEOUT,
    CONF_TO,
    SUBENTRY_RECIPIENT,
    SUBJECT_FIRST_LINE,
)
from ..entry import async_save
from ..mail.failure import Failure
from ..phrases import Phrases
from ..recipients import format_mailbox
from .check import async_send_test
from .dialog import Dialog
from .forms import CONF_GO_BACK, finish_form
from .progress import Progress

if TYPE_CHECKING:
    from ..account import EmailCourierConfigEntry

NEW_ACCOUNT = {CONF_DEFAULT_SUBJECT: SUBJECT_FIRST_LINE}
"""Options that an account begins with; accounts made by 1.0.0 are without them."""
_ASKED_FOR = (CONF_HELLO_NAME, CONF_CA_FILE, CONF_TIMEOUT)
"""Options that the dialog shows, so that it can also take them away."""


class FinishSteps(Dialog):
    """From proven settings to an account."""

    def __init__(self) -> None:
        """Begin with nobody to write to."""
        super().__init__()
        self._test_recipient = ""
        self._test_mail = Progress[Failure | None]()

    async def async_step_finish(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Sum up what was proven, and offer a test mail with the settings not yet saved."""
        if user_input is not None:
            self.forget_errors()
            self._test_recipient = user_input.get(CONF_TEST_RECIPIENT, "").strip()
            if user_input.get(CONF_GO_BACK):
                self.login_is_known = False
                return await self.go_to("login")
            return await self.go_to("test_mail" if self._test_recipient else "save")
        return await self.async_page(
            "finish",
            finish_form(),
            {CONF_TEST_RECIPIENT: self._test_recipient},
            summary="\n\n".join(filter(None, [self.summary, self.arrival])),
        )

    async def async_step_test_mail(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Send the test mail, and save the account once the server has taken it."""
        if (page := self._test_mail.page(self, "test_mail", self._send_test)) is not None:
            return page
        failure = self._test_mail.result()
        if failure is None:
            self.draft = replace(self.draft, delivered_at=dt_util.utcnow().isoformat())
            return self.async_show_progress_done(next_step_id="save")
        self.fail(failure, CONF_TEST_RECIPIENT)
        return self.async_show_progress_done(next_step_id="finish")

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

    async def _send_test(self) -> Failure | None:
        phrases = await Phrases.async_load(self.hass)
        return await async_send_test(
            self.hass,
            self.draft,
            self._test_recipient,
            subject=phrases.say("test_subject", home=self.hass.config.location_name),
            text=phrases.say("test_text", sender=self.draft.sender),
        )

    def _title(self, entry: EmailCourierConfigEntry) -> str:
        """Keep a title of the person's own; one that is the sender follows the sender."""
        return self.draft.sender if entry.title == entry.data[CONF_SENDER] else entry.title

    def _options(self, stored: Mapping[str, Any]) -> dict[str, Any]:
        """Return the options with those that the dialog sets."""
        others = {name: value for name, value in stored.items() if name not in _ASKED_FOR}
        return {**others, **self.draft.options()}
