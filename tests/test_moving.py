"""After an account was taken over: what still names the old one, until nothing does."""

from typing import Any

from homeassistant.config_entries import ConfigSubentryData
from homeassistant.const import EVENT_HOMEASSISTANT_STARTED
from homeassistant.core import CoreState, HomeAssistant
from homeassistant.helpers import device_registry as dr, entity_registry as er, issue_registry as ir
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.email_courier.account import Account
from custom_components.email_courier.const import DOMAIN
from custom_components.email_courier.entry import names_of
from custom_components.email_courier.issues import Issue
from tests.support.accounts import account_entry, load, recipient
from tests.support.fixtures import Bed
from tests.support.script import PASSWORD, USERNAME
from tests.support.scripted_server import ScriptedServer
from tests.support.sending import pass_time

OLD = "notify.old_mail_bea"
"""The entity of the old account that writes to Bea."""


class Old:
    """The account of Home Assistant's own integration, as it stands in the registries."""

    def __init__(self, hass: HomeAssistant, server: ScriptedServer) -> None:
        self.entry = MockConfigEntry(
            domain="smtp",
            title="Old mail",
            data={
                "sender": USERNAME,
                "server": server.host,
                "port": server.port,
                "encryption": "starttls",
                "username": USERNAME,
                "password": PASSWORD,
            },
            subentries_data=[
                ConfigSubentryData(
                    data={}, subentry_type="recipient", title="Bea", unique_id="bea@example.test"
                )
            ],
        )
        self.entry.add_to_hass(hass)
        self.device = dr.async_get(hass).async_get_or_create(
            config_entry_id=self.entry.entry_id, identifiers={("smtp", self.entry.entry_id)}
        )
        self.entity = er.async_get(hass).async_get_or_create(
            "notify",
            "smtp",
            f"{self.entry.entry_id}_bea@example.test",
            config_entry=self.entry,
            suggested_object_id="old_mail_bea",
        )


async def has(hass: HomeAssistant, domain: str, config: Any) -> None:
    """Let a person have written automations, scripts or scenes."""
    assert await async_setup_component(hass, domain, {domain: config})
    await hass.async_block_till_done()


def does(alias: str, *actions: dict[str, Any]) -> dict[str, Any]:
    """Return an automation that does something when anything happens."""
    trigger = {"trigger": "event", "event_type": "anything"}
    return {"alias": alias, "id": alias.lower(), "triggers": [trigger], "actions": list(actions)}


def says(target: str) -> dict[str, Any]:
    """Return the action that writes to an entity."""
    return {
        "action": "notify.send_message",
        "target": {"entity_id": target},
        "data": {"message": "Hello"},
    }


async def load_ours(hass: HomeAssistant, server: ScriptedServer, **changes: Any) -> Account:
    """Load the account that stands for the old one, with Bea as a recipient."""
    return await load(
        hass, account_entry(server, recipient("Bea", ["Bea <bea@example.test>"]), **changes)
    )


def found(hass: HomeAssistant, account: Account) -> dict[str, str] | None:
    """Return what the issue says, None where there is none."""
    issue = ir.async_get(hass).async_get_issue(
        DOMAIN, Issue.OLD_NAMES.id_for(account.entry.entry_id)
    )
    if issue is None or not issue.active:
        return None
    assert not issue.is_fixable
    assert issue.learn_more_url is not None
    assert issue.learn_more_url.endswith("docs/moving.md")
    return issue.translation_placeholders


async def test_everything_that_names_the_old_account_is_listed_with_what_to_write_instead(
    hass: HomeAssistant, bed: Bed
) -> None:
    server = await bed.serve()
    old = Old(hass, server)
    smtp = {"action": "smtp.send_message", "target": {"entity_id": OLD}, "data": {"message": "x"}}
    await has(
        hass,
        "automation",
        [
            does("Leak", says(OLD)),
            does("Doorbell", {"action": "notify.old_mail", "data": {"message": "Ding"}}),
            does("Report", smtp),
            does(
                "Picker", {"action": "notify.send_message", "target": {"device_id": old.device.id}}
            ),
            does(
                "Template",
                {"action": "notify.{{ 'old_mail' }}"},
                says("{{ 'notify.old_mail_bea' }}"),
            ),
            does("Other", says("notify.old_mail_beatrix"), says("notify.phone")),
            does("Elsewhere", {**smtp, "target": {"entity_id": "notify.somebody"}}),
        ],
    )
    await has(hass, "script", {"call_home": {"alias": "Call *home*", "sequence": [says(OLD)]}})
    await has(hass, "scene", [{"name": "Evening", "entities": {OLD: "on", "light.hall": "on"}}])

    account = await load_ours(hass, server)

    listed = found(hass, account)
    assert listed is not None
    assert (listed["account"], listed["count"]) == ("Home", "7")
    assert sorted(listed["uses"].splitlines()) == [
        f"- Call  home  (`script.call_home`): `{OLD}` → `notify.bea`",
        "- Doorbell (`automation.doorbell`): `notify.old_mail` → `notify.home`",
        f"- Evening (`scene.evening`): `{OLD}` → `notify.bea`",
        f"- Leak (`automation.leak`): `{OLD}` → `notify.bea`",
        f"- Picker (`automation.picker`): `{old.device.id}` → `notify.home`",
        (
            f"- Report (`automation.report`): `{OLD}` → `notify.bea`, "
            "`smtp.send_message` → `email_courier.send_message`"
        ),
        f"- Template (`automation.template`): `{OLD}` → `notify.bea`",
    ]


async def test_it_goes_by_itself_once_nothing_names_the_old_account_any_more(
    hass: HomeAssistant, bed: Bed, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = await bed.serve()
    Old(hass, server)
    await has(hass, "automation", [does("Leak", says(OLD))])
    account = await load_ours(hass, server)
    assert found(hass, account) is not None

    await reload(hass, monkeypatch, "automation", [does("Leak", says("notify.bea"))])

    assert found(hass, account) is None

    await reload(hass, monkeypatch, "automation", [does("Leak", says(OLD))])
    assert found(hass, account) is not None


async def test_a_script_that_is_mended_counts_as_well(
    hass: HomeAssistant, bed: Bed, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = await bed.serve()
    Old(hass, server)
    await has(hass, "script", {"leak": {"sequence": [says(OLD)]}})
    account = await load_ours(hass, server)
    assert found(hass, account) is not None

    await reload(hass, monkeypatch, "script", {"leak": {"sequence": [says("notify.bea")]}})

    assert found(hass, account) is None


async def reload(
    hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch, domain: str, config: Any
) -> None:
    """Save something else, as the editor does."""

    async def read(*_: Any, **__: Any) -> dict[str, Any]:
        return {domain: config}

    monkeypatch.setattr("homeassistant.config.async_hass_config_yaml", read)
    await hass.services.async_call(domain, "reload", blocking=True)
    await hass.async_block_till_done()
    await pass_time(hass, seconds=5)


async def test_one_that_is_ignored_stays_ignored(hass: HomeAssistant, bed: Bed) -> None:
    server = await bed.serve()
    Old(hass, server)
    await has(hass, "automation", [does("Leak", says(OLD))])
    account = await load_ours(hass, server)
    issue_id = Issue.OLD_NAMES.id_for(account.entry.entry_id)
    ir.async_ignore_issue(hass, DOMAIN, issue_id, True)

    await hass.config_entries.async_reload(account.entry.entry_id)
    await hass.async_block_till_done()

    issue = ir.async_get(hass).async_get_issue(DOMAIN, issue_id)
    assert issue is not None
    assert issue.dismissed_version is not None


async def test_nothing_is_forgotten_while_home_assistant_starts(
    hass: HomeAssistant, bed: Bed
) -> None:
    issue_id = Issue.OLD_NAMES.id_for("id")
    ir.async_create_issue(
        hass,
        DOMAIN,
        issue_id,
        is_fixable=False,
        severity=ir.IssueSeverity.WARNING,
        translation_key="old_names",
    )
    ir.async_ignore_issue(hass, DOMAIN, issue_id, True)
    hass.set_state(CoreState.starting)
    made = account_entry(await bed.serve(), replaces={OLD: "bea@example.test"})
    await load(hass, MockConfigEntry(domain=DOMAIN, title="Home", data=made.data, entry_id="id"))
    hass.services.async_register("script", "another", lambda _: None)
    await pass_time(hass, seconds=5)
    await has(hass, "automation", [does("Leak", says(OLD))])

    hass.set_state(CoreState.running)
    hass.bus.async_fire(EVENT_HOMEASSISTANT_STARTED)
    await hass.async_block_till_done()

    issue = ir.async_get(hass).async_get_issue(DOMAIN, issue_id)
    assert issue is not None
    assert issue.translation_placeholders is not None
    assert issue.dismissed_version is not None


async def test_the_old_names_are_remembered_when_the_old_account_is_gone(
    hass: HomeAssistant, bed: Bed
) -> None:
    await has(hass, "automation", [does("Leak", says(OLD))])

    account = await load_ours(
        hass,
        await bed.serve(),
        replaces={OLD: "bea@example.test", "notify.old_mail": "", "notify.home": ""},
    )

    listed = found(hass, account)
    assert listed is not None
    assert listed["uses"] == f"- Leak (`automation.leak`): `{OLD}` → `notify.bea`"


async def test_who_has_no_recipient_here_is_reached_by_the_accounts_action(
    hass: HomeAssistant, bed: Bed
) -> None:
    await has(hass, "automation", [does("Leak", says(OLD))])
    account = await load_ours(hass, await bed.serve(), replaces={OLD: "carl@example.test"})

    listed = found(hass, account)
    assert listed is not None
    assert listed["uses"] == f"- Leak (`automation.leak`): `{OLD}` → `notify.home`"


async def test_a_long_list_is_cut(hass: HomeAssistant, bed: Bed) -> None:
    await has(hass, "automation", [does(f"Leak {count}", says(OLD)) for count in range(60)])
    account = await load_ours(hass, await bed.serve(), replaces={OLD: "bea@example.test"})

    listed = found(hass, account)
    assert listed is not None
    assert listed["count"] == "60"
    assert len(listed["uses"].splitlines()) == 51


async def test_an_account_that_stands_for_no_other_searches_nothing(
    hass: HomeAssistant, bed: Bed
) -> None:
    server = await bed.serve()
    old = Old(hass, server)
    await has(hass, "automation", [does("Leak", says(OLD))])

    account = await load_ours(hass, server, sender="else@example.test")

    assert found(hass, account) is None
    assert OLD in names_of(hass, old.entry)


async def test_the_issue_goes_with_the_account(hass: HomeAssistant, bed: Bed) -> None:
    await has(hass, "automation", [does("Leak", says(OLD))])
    account = await load_ours(hass, await bed.serve(), replaces={OLD: "bea@example.test"})
    assert found(hass, account) is not None

    await hass.config_entries.async_remove(account.entry.entry_id)
    await hass.async_block_till_done()

    assert found(hass, account) is None
