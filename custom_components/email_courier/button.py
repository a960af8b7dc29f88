"""Buttons: send a test mail, to oneself or to a recipient, try waiting mail, send a report."""

from __future__ import annotations

from homeassistant.components.button import ButtonEntity
from homeassistant.config_entries import ConfigSubentry
from homeassistant.const import EntityCategory
from homeassistant.core import Context, HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .account import EmailCourierConfigEntry, origin_of
from .const import SUBENTRY_REPORT
from .entity import (
    SEND_TEST_MAIL,
    AccountEntity,
    ReportEntity,
    SubentryDeviceEntity,
    async_add_for_subentries,
)
from .errors import async_raise_if_not_trying, async_worded
from .phrases import Phrases
from .recipients import Recipients
from .report.schedule import async_reports

PARALLEL_UPDATES = 0


async def async_setup_entry(
    hass: HomeAssistant,
    entry: EmailCourierConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the account's buttons, and one for each recipient and each report."""
    account = entry.runtime_data
    async_add_entities([TestMailButton(account, SEND_TEST_MAIL), RetryButton(account, "retry")])

    def of_recipient(subentry: ConfigSubentry) -> list[RecipientTestButton]:
        return [RecipientTestButton(account, subentry, SEND_TEST_MAIL)]

    def of_report(subentry: ConfigSubentry) -> list[SendReportButton]:
        return [SendReportButton(account, subentry, "send_now")]

    async_add_for_subentries(account, async_add_entities, of_recipient)
    async_add_for_subentries(account, async_add_entities, of_report, SUBENTRY_REPORT)


class _TestButton(AccountEntity, ButtonEntity):
    """Sends a test mail the way every other mail goes."""

    _attr_entity_category = EntityCategory.DIAGNOSTIC
    _attr_translation_key = "send_test_mail"

    async def _async_send(self, recipients: Recipients, *subentry_ids: str) -> None:
        """Send it now or say why not: a person is waiting for the answer."""
        phrases = await Phrases.async_load(self.hass)
        account = self.account
        content = account.content(
            **recipients._asdict(),
            subject=phrases.say("test_subject", home=self.hass.config.location_name),
            text=phrases.say("button_test_text", sender=account.sender.address),
            layout=account.layout_for(*subentry_ids),
            icon="\u2705",
        )
        async with async_worded(self.hass):
            await account.async_send(
                content, queue=False, origin=origin_of(self._context, subentry_ids)
            )


class TestMailButton(_TestButton):
    """Sends a mail from the account to itself."""

    async def async_press(self) -> None:
        """Send it."""
        await self._async_send(Recipients(to=(self.account.sender,)))


class RecipientTestButton(SubentryDeviceEntity, _TestButton):
    """Sends a mail from the account to all addresses of a recipient."""

    async def async_press(self) -> None:
        """Send it."""
        await self._async_send(self.account.recipients(self.subentry_id), self.subentry_id)


class RetryButton(AccountEntity, ButtonEntity):
    """Tries all waiting mail now, whatever the schedule says."""

    _attr_translation_key = "retry_waiting"

    async def async_press(self) -> None:
        """Try it, or say why nothing is tried."""
        async with async_worded(self.hass):
            async_raise_if_not_trying(self.account.courier, self.account.entry.title)
        self.account.courier.retry_now()


class SendReportButton(ReportEntity, ButtonEntity):
    """Sends a report now; the next one comes when it is due."""

    _attr_translation_key = "send_now"

    async def async_press(self) -> None:
        """Send it or say why not."""
        # Without the user: a report shows what was chosen, whoever may press the button.
        context = Context(parent_id=None if self._context is None else self._context.id)
        async with async_worded(self.hass):
            await async_reports(self.account).async_send(self.subentry_id, context)
