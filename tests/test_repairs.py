"""Repair issues: what a person should know, and what they can do about it."""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from pathlib import Path
from typing import Any

from aiohttp.test_utils import TestClient
from freezegun.api import FrozenDateTimeFactory
from homeassistant.components.repairs import DOMAIN as REPAIRS
from homeassistant.config_entries import SOURCE_RECONFIGURE
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.email_courier.account import Account
from custom_components.email_courier.const import CONF_FINGERPRINT, CONF_MAX_MAILS, DOMAIN
from custom_components.email_courier.issues import Issue
from custom_components.email_courier.outbox_host import outbox_folder
from tests.support.accounts import account_entry, load, load_account
from tests.support.certificates import Certificates, ServerTls
from tests.support.dialogs import TEXTS
from tests.support.fixtures import Bed
from tests.support.script import Script, Step, say
from tests.support.scripted_server import ScriptedServer
from tests.support.sending import let_pass, pass_time, send_from

CERTIFICATE_TEXTS = TEXTS["issues"]["certificate_changed"]["fix_flow"]
HOUSE = "house.example.test"
SELF_SIGNED = Script(tls_kind=ServerTls.SELF_SIGNED)


class Dialog:
    """The dialog of one issue, as the frontend drives it."""

    def __init__(self, client: TestClient[Any, Any]) -> None:
        """Speak over an authenticated client."""
        self.progress: list[str] = []
        self._client = client
        self._url = "/api/repairs/issues/fix"

    @classmethod
    async def open(
        cls, hass: HomeAssistant, hass_client: ClientSessionGenerator, issue_id: str
    ) -> tuple[Dialog, dict[str, Any]]:
        """Open it; return it with its first page."""
        assert await async_setup_component(hass, REPAIRS, {})
        dialog = cls(await hass_client())
        page = await dialog.submit(handler=DOMAIN, issue_id=issue_id)
        dialog._url += f"/{page['flow_id']}"
        return dialog, page

    async def submit(self, **fields: str) -> dict[str, Any]:
        """Submit the page that is shown; return the next one, once nothing is in progress."""
        response = await self._client.post(self._url, json=fields)
        while True:
            assert response.status == HTTPStatus.OK
            page: dict[str, Any] = await response.json()
            if page["type"] != "progress":
                return page
            assert page["step_id"] in CERTIFICATE_TEXTS["step"]
            self.progress.append(CERTIFICATE_TEXTS["progress"][page["progress_action"]])
            await asyncio.sleep(0.05)
            response = await self._client.get(self._url)


def issue_of(hass: HomeAssistant, account: Account, issue: Issue) -> ir.IssueEntry | None:
    found = ir.async_get(hass).async_get_issue(DOMAIN, issue.id_for(account.entry.entry_id))
    return found if found is not None and found.active else None


def placeholders(issue: ir.IssueEntry | None) -> dict[str, str]:
    assert issue is not None
    assert issue.translation_placeholders is not None
    return issue.translation_placeholders


async def expire(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    account: Account,
    server: ScriptedServer,
    text: str,
) -> None:
    """Let a mail wait in vain; nothing but the clock itself makes it expire."""
    await server.stop()
    await send_from(account, "bea@example.test", subject=text, expires_after=60)
    await let_pass(hass, freezer, minutes=2)


async def confirm(
    hass: HomeAssistant, hass_client: ClientSessionGenerator, issue: ir.IssueEntry
) -> dict[str, Any]:
    """Read the dialog of an issue to its end; return its first page."""
    dialog, page = await Dialog.open(hass, hass_client, issue.issue_id)
    assert (await dialog.submit())["type"] == "create_entry"
    return page


async def test_mail_that_expires_is_an_issue_until_it_has_been_read(
    hass: HomeAssistant,
    bed: Bed,
    freezer: FrozenDateTimeFactory,
    hass_client: ClientSessionGenerator,
) -> None:
    server = await bed.serve()
    account = await load_account(hass, server)
    await expire(hass, freezer, account, server, "First")
    await expire(hass, freezer, account, server, "Second *alarm*")

    issue = issue_of(hass, account, Issue.MAIL_EXPIRED)

    words = placeholders(issue)
    assert words["account"] == "Home"
    assert words["count"] == "2"
    assert words["subject"] == "`Second *alarm*`"
    assert words["recipient"] == "`bea@example.test`"
    assert words["cause"] == "Connection refused"
    assert words["reply"] != "-"
    assert issue is not None
    assert issue.is_persistent
    dialog, page = await Dialog.open(hass, hass_client, issue.issue_id)
    assert page["menu_options"] == ["send_again", "confirm"]
    assert page["description_placeholders"]["count"] == "2"
    assert (await dialog.submit(next_step_id="confirm"))["type"] == "create_entry"
    assert issue_of(hass, account, Issue.MAIL_EXPIRED) is None


async def test_one_mail_to_several_expires_once(
    hass: HomeAssistant, bed: Bed, freezer: FrozenDateTimeFactory
) -> None:
    script = Script(
        recipient_replies={
            "bea@example.test": "450 4.2.0 Greylisted",
            "carl@example.test": "452 4.2.2 Mailbox full",
        }
    )
    account = await load_account(hass, await bed.serve(script))
    await send_from(account, "bea@example.test", "carl@example.test", expires_after=60)
    await let_pass(hass, freezer, minutes=2)

    assert placeholders(issue_of(hass, account, Issue.MAIL_EXPIRED))["count"] == "1"


async def test_the_count_of_expired_mail_goes_on_after_a_reload(
    hass: HomeAssistant, bed: Bed, freezer: FrozenDateTimeFactory
) -> None:
    server = await bed.serve()
    account = await load_account(hass, server)
    await expire(hass, freezer, account, server, "First")

    await hass.config_entries.async_reload(account.entry.entry_id)
    await expire(hass, freezer, account.entry.runtime_data, server, "Second")

    assert placeholders(issue_of(hass, account, Issue.MAIL_EXPIRED))["count"] == "2"


async def test_an_outbox_that_fills_up_is_an_issue_until_there_is_room(
    hass: HomeAssistant, bed: Bed
) -> None:
    server = await bed.serve()
    account = await load_account(hass, server, options={CONF_MAX_MAILS: 10})
    await server.stop()
    for number in range(7):
        await send_from(account, "bea@example.test", subject=str(number))
    assert issue_of(hass, account, Issue.OUTBOX_NEARLY_FULL) is None

    await send_from(account, "bea@example.test")

    assert placeholders(issue_of(hass, account, Issue.OUTBOX_NEARLY_FULL)) == {
        "account": "Home",
        "count": "8",
        "percent": "80",
    }
    first, *_ = await account.courier.waiting()
    await account.courier.drop([str(first.id)])
    assert issue_of(hass, account, Issue.OUTBOX_NEARLY_FULL) is not None

    await server.start()
    await pass_time(hass, minutes=1)
    assert issue_of(hass, account, Issue.OUTBOX_NEARLY_FULL) is None


async def test_damaged_mail_is_an_issue_that_says_where_it_lies(
    hass: HomeAssistant, bed: Bed, hass_client: ClientSessionGenerator
) -> None:
    server = await bed.serve()
    account = await load_account(hass, server)
    await server.stop()
    await send_from(account, "bea@example.test")
    await send_from(account, "carl@example.test")
    folder = outbox_folder(hass, account.entry.entry_id)
    await hass.config_entries.async_unload(account.entry.entry_id)
    await hass.async_add_executor_job(_shorten_all, folder)

    await server.start()
    await hass.config_entries.async_setup(account.entry.entry_id)
    await hass.async_block_till_done()

    issue = issue_of(hass, account, Issue.MAIL_DAMAGED)
    assert placeholders(issue) == {
        "account": "Home",
        "count": "2",
        "folder": f"`{folder / 'damaged'}`",
    }
    assert server.record.mails == []
    assert issue is not None
    await confirm(hass, hass_client, issue)
    assert issue_of(hass, account, Issue.MAIL_DAMAGED) is None


def _shorten_all(folder: Path) -> None:
    for file in folder.glob("*.eml"):
        file.write_bytes(file.read_bytes()[:-10])


async def test_disk_trouble_is_an_issue_until_the_folder_can_be_written_again(
    hass: HomeAssistant, bed: Bed
) -> None:
    entry = account_entry(await bed.serve())
    folder = outbox_folder(hass, entry.entry_id)
    await hass.async_add_executor_job(_put_a_file_in_place_of, folder)

    account = await load(hass, entry)

    detail = placeholders(issue_of(hass, account, Issue.OUTBOX_DISK))["detail"]
    assert "Not a directory" in detail
    await pass_time(hass, minutes=6)
    assert issue_of(hass, account, Issue.OUTBOX_DISK) is not None

    await hass.async_add_executor_job(folder.unlink)
    await pass_time(hass, minutes=12)
    assert issue_of(hass, account, Issue.OUTBOX_DISK) is None


def _put_a_file_in_place_of(folder: Path) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.write_text("no folder", encoding="utf-8")


@pytest.mark.parametrize(
    ("changes", "issues"),
    [
        ({}, set()),
        ({"verify_ssl": False}, {Issue.CERTIFICATE_UNCHECKED}),
        ({"verify_ssl": False, CONF_FINGERPRINT: "ab" * 32}, set()),
        ({"verify_ssl": False, "encryption": "none", "username": None}, set()),
        ({"encryption": "none"}, {Issue.PLAIN_LOGIN}),
        ({"encryption": "none", "host": "127.0.0.1"}, set()),
        ({"verify_ssl": False, "host": "localhost"}, set()),
    ],
)
async def test_a_setting_that_gives_safety_away_is_an_issue_that_stays(
    hass: HomeAssistant, bed: Bed, changes: dict[str, Any], issues: set[Issue]
) -> None:
    entry = account_entry(await bed.serve(), **{"host": HOUSE, **changes})

    account = await load(hass, entry)

    assert {issue for issue in Issue if issue_of(hass, account, issue)} == issues
    for issue in issues:
        found = issue_of(hass, account, issue)
        assert placeholders(found) == {"account": "Home", "host": f"`{HOUSE}`"}
        assert found is not None
        assert not found.is_fixable


async def test_an_ignored_warning_stays_ignored_when_the_account_is_reloaded(
    hass: HomeAssistant, bed: Bed
) -> None:
    account = await load_account(hass, await bed.serve(), host=HOUSE, verify_ssl=False)
    issue_id = Issue.CERTIFICATE_UNCHECKED.id_for(account.entry.entry_id)
    ir.async_ignore_issue(hass, DOMAIN, issue_id, True)

    await hass.config_entries.async_reload(account.entry.entry_id)

    issue = issue_of(hass, account, Issue.CERTIFICATE_UNCHECKED)
    assert issue is not None
    assert issue.dismissed_version is not None


async def test_a_warning_goes_with_the_setting(hass: HomeAssistant, bed: Bed) -> None:
    account = await load_account(hass, await bed.serve(), host=HOUSE, verify_ssl=False)
    assert issue_of(hass, account, Issue.CERTIFICATE_UNCHECKED) is not None

    hass.config_entries.async_update_entry(
        account.entry, data={**account.entry.data, "verify_ssl": True}
    )
    await hass.async_block_till_done()

    assert issue_of(hass, account, Issue.CERTIFICATE_UNCHECKED) is None


async def test_no_issue_outlives_its_account(
    hass: HomeAssistant, bed: Bed, freezer: FrozenDateTimeFactory
) -> None:
    server = await bed.serve()
    account = await load_account(hass, server, host=HOUSE, verify_ssl=False)
    account.courier.retry_now()
    await expire(hass, freezer, account, server, "Lost")
    assert issue_of(hass, account, Issue.MAIL_EXPIRED) is not None

    await hass.config_entries.async_remove(account.entry.entry_id)
    await hass.async_block_till_done()

    assert [issue for issue in ir.async_get(hass).issues.values() if issue.domain == DOMAIN] == []


async def pinned(hass: HomeAssistant, server: ScriptedServer, fingerprint: str) -> Account:
    return await load_account(hass, server, **{CONF_FINGERPRINT: fingerprint})


async def open_dialog(
    hass: HomeAssistant, hass_client: ClientSessionGenerator, account: Account
) -> tuple[Dialog, dict[str, Any]]:
    """Open the dialog of a changed certificate; return it with its first page."""
    issue_id = Issue.CERTIFICATE_CHANGED.id_for(account.entry.entry_id)
    return await Dialog.open(hass, hass_client, issue_id)


async def test_a_changed_certificate_stops_sending_and_shows_both(
    hass: HomeAssistant, bed: Bed, certificates: Certificates
) -> None:
    server = await bed.serve(SELF_SIGNED)
    old = Certificates().fingerprint(ServerTls.SELF_SIGNED)
    account = await pinned(hass, server, old)

    await send_from(account, "bea@example.test")

    texts = placeholders(issue_of(hass, account, Issue.CERTIFICATE_CHANGED))
    assert fingerprint_in(texts["expected"]) == old
    assert fingerprint_in(texts["fingerprint"]) == certificates.fingerprint(ServerTls.SELF_SIGNED)
    assert texts["account"] == "Home"
    assert texts["subject"] == "`mail.example.test`"
    assert server.record.mails == []
    assert server.record.auth_commands == 0


def fingerprint_in(text: str) -> str:
    return text.strip("`").replace(":", "").lower()


async def test_a_pinned_certificate_that_comes_back_solves_the_issue(
    hass: HomeAssistant, bed: Bed, certificates: Certificates
) -> None:
    server = await bed.serve(SELF_SIGNED)
    account = await pinned(hass, server, certificates.fingerprint(ServerTls.VALID))
    await send_from(account, "bea@example.test")
    await pass_time(hass, minutes=1)
    assert server.record.connections > 1
    assert issue_of(hass, account, Issue.CERTIFICATE_CHANGED) is not None

    server.script = Script()
    await pass_time(hass, minutes=10)

    assert len(server.record.mails) == 1
    assert issue_of(hass, account, Issue.CERTIFICATE_CHANGED) is None


async def test_an_untrusted_certificate_is_no_change_where_none_was_pinned(
    hass: HomeAssistant, bed: Bed
) -> None:
    account = await load_account(hass, await bed.serve(SELF_SIGNED))

    await send_from(account, "bea@example.test")

    assert account.courier.state.down is not None
    assert issue_of(hass, account, Issue.CERTIFICATE_CHANGED) is None


async def test_the_new_certificate_is_trusted_once_the_account_works_with_it(
    hass: HomeAssistant,
    bed: Bed,
    certificates: Certificates,
    hass_client: ClientSessionGenerator,
) -> None:
    server = await bed.serve(SELF_SIGNED)
    account = await pinned(hass, server, "ab" * 32)
    await send_from(account, "bea@example.test")
    dialog, menu = await open_dialog(hass, hass_client, account)
    assert menu["type"] == "menu"
    assert menu["menu_options"] == ["trust", "reconfigure"]
    assert menu["description_placeholders"]["expected"] == "`" + ":".join(["AB"] * 32) + "`"

    result = await dialog.submit(next_step_id="trust")
    await hass.async_block_till_done()

    # which of the stages a browser happens to see is a matter of time
    assert dialog.progress
    assert set(dialog.progress) <= set(CERTIFICATE_TEXTS["progress"].values())
    assert result["type"] == "create_entry"
    new = certificates.fingerprint(ServerTls.SELF_SIGNED)
    assert account.entry.data[CONF_FINGERPRINT] == new
    assert issue_of(hass, account, Issue.CERTIFICATE_CHANGED) is None
    assert len(server.record.mails) == 1


async def test_a_certificate_with_which_the_account_does_not_work_is_not_trusted(
    hass: HomeAssistant, bed: Bed, hass_client: ClientSessionGenerator
) -> None:
    server = await bed.serve(SELF_SIGNED)
    account = await pinned(hass, server, "ab" * 32)
    await send_from(account, "bea@example.test")
    dialog, _ = await open_dialog(hass, hass_client, account)
    server.script = SELF_SIGNED.but(answers={Step.AUTH: say("454 4.7.0 Try again later")})

    page = await dialog.submit(next_step_id="trust")

    assert page["type"] == "form"
    assert page["errors"] == {"base": "check_failed"}
    assert page["description_placeholders"]["reply"] == "`454 4.7.0 Try again later`"
    assert account.entry.data[CONF_FINGERPRINT] == "ab" * 32

    server.script = SELF_SIGNED
    result = await dialog.submit()
    await hass.async_block_till_done()
    assert result["type"] == "create_entry"
    assert len(server.record.mails) == 1


async def test_a_certificate_that_changes_while_it_is_looked_at_is_not_trusted(
    hass: HomeAssistant, bed: Bed, hass_client: ClientSessionGenerator
) -> None:
    server = await bed.serve(SELF_SIGNED)
    account = await pinned(hass, server, "ab" * 32)
    await send_from(account, "bea@example.test")
    dialog, _ = await open_dialog(hass, hass_client, account)
    server.script = Script(tls_kind=ServerTls.UNTRUSTED_AUTHORITY)

    page = await dialog.submit(next_step_id="trust")

    assert page["errors"] == {"base": "check_failed"}
    assert account.entry.data[CONF_FINGERPRINT] == "ab" * 32
    assert server.record.auth_commands == 0


async def test_the_account_can_be_changed_instead(
    hass: HomeAssistant, bed: Bed, hass_client: ClientSessionGenerator
) -> None:
    account = await pinned(hass, await bed.serve(SELF_SIGNED), "ab" * 32)
    await send_from(account, "bea@example.test")
    dialog, _ = await open_dialog(hass, hass_client, account)

    result = await dialog.submit(next_step_id="reconfigure")

    assert result["type"] == "abort"
    [flow] = hass.config_entries.flow.async_progress_by_handler(DOMAIN)
    assert flow["context"]["source"] == SOURCE_RECONFIGURE
    assert result["next_flow"] == ["config_flow", flow["flow_id"]]
    assert issue_of(hass, account, Issue.CERTIFICATE_CHANGED) is not None
