"""What version 1.0.0 has stored is taken up whole, and 1.0.0 takes up what is stored now."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
import json
from pathlib import Path
import shutil
import sys
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import section
from homeassistant.exceptions import HomeAssistantError
import pytest

from tests.upgrade import house
from tests.upgrade.house import DOMAIN, NEW, deliver, notes, pass_time, running, start, waiting
from tests.upgrade.mails import (
    come_too_fast,
    come_too_fast_for_all,
    leave_past,
    leave_waiting,
    message_of,
    send,
    texts_in,
)
from tests.upgrade.servers import SCRIPTS, Certificates, Mail, Servers, Step, hang_up, serving
from tests.upgrade.storage import (
    OUTBOX,
    StoredMail,
    entries_in,
    install,
    mails_in,
    rewrite,
    stored,
    unpack,
)

pytestmark = pytest.mark.slow

HELD = {
    "bea@example.test": ["Gate 1", "Gate 2", "Gate 3"],
    "carl@example.test": ["Door 2", "Door 3"],
    "dora@example.test": ["Door 2", "Door 3"],
    "eva@example.test": ["Roof 2"],
}
"""What the flood guard has held back, by recipient."""


@pytest.fixture(autouse=True)
def _custom_integration() -> None:
    """Each test runs a Home Assistant of its own, and no other may be there."""


@pytest.fixture
def expected_lingering_timers() -> bool:
    """Home Assistant does not unload accounts as it stops; its process ends with their timers."""
    return True


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """The configuration folder of somebody who used 1.0.0."""
    folder = tmp_path / "config"
    unpack(folder)
    return folder


@pytest.fixture
async def servers(
    certificates: Certificates, config: Path, tmp_path: Path
) -> AsyncIterator[Servers]:
    """The servers of its accounts."""
    async with serving(certificates, tmp_path) as servers:
        rewrite(config, servers.changes)
        yield servers


def test_the_fixture_holds_mail_in_every_state(config: Path) -> None:
    mails = {(mail.account, mail.subject): mail for mail in mails_in(config)}

    assert {title for title, _ in mails} == set(SCRIPTS)
    assert len(mails["Home", "Large"].data) > 1024 * 1024
    assert mails["Home", "Put off"].attempts > 2
    assert mails["Home", "In part"].recipients == ("slow@example.test",)
    assert len(mails["Home", "Family"].recipients) == 4
    assert [mail.subject for mail in mails.values() if mail.at_dot] == ["At the dot"]
    assert {mail.subject for mail in mails.values() if mail.flooded} == {
        "Door 2",
        "Door 3",
        "Roof 2",
    }
    assert len([*config.rglob("*.merge")]) == 1
    shown = {name for entry in entries_in(config) for name in entry["options"]}
    assert len(shown) == 12  # each option once


async def test_every_account_is_loaded_with_its_entities_and_its_past(
    config: Path, servers: Servers
) -> None:
    entities = entities_stored_in(config)
    past = {title: outcomes_of(config, title.lower()) for title in SCRIPTS}
    last = {
        entity["state"]["entity_id"]: entity["state"]["state"]
        for entity in stored(config, "restore_state")
        if "_last_" in entity["state"]["entity_id"]
    }
    # That nothing has failed was unknown in 1.0.0, and has a name since.
    last |= {
        entity_id: "none"
        for entity_id, state in last.items()
        if entity_id.endswith("_last_failure") and state == "unknown"
    }
    before = {entry["title"]: entry for entry in entries_in(config)}
    connections = {title: server.record.connections for title, server in servers.items()}

    async with running(config) as hass:
        noted = await notes(hass)
        states = {entity_id: state_of(hass, entity_id) for entity_id in last}
        entries = {entry.title: entry for entry in hass.config_entries.async_entries(DOMAIN)}

    assert {title: note["state"] for title, note in noted.items()} == dict.fromkeys(
        SCRIPTS, "loaded"
    )
    assert entities.items() <= shown_by(noted).items()
    assert states == last
    for title, note in noted.items():
        assert [brief(outcome) for outcome in note["outcomes"]] == past[title]
        assert entries[title].version == before[title]["version"] == 1
        assert before[title]["data"].items() <= dict(entries[title].data).items()
        assert before[title]["options"].items() <= dict(entries[title].options).items()
    assert {"delivered", "failed", "deferred"} <= {outcome for outcome, *_ in past["Home"]}
    assert connections == {title: server.record.connections for title, server in servers.items()}


async def test_every_waiting_mail_is_listed_and_delivered_once_as_it_was(
    config: Path, servers: Servers
) -> None:
    mails = [*mails_in(config)]
    await servers.stop("Backed")

    async with running(config) as hass:
        noted = await notes(hass)
        await deliver(hass)
        left = await notes(hass)

    assert_listed(noted, mails)
    assert all(note["waiting"] == [] for note in left.values())
    assert_delivered(servers.taken(), mails)


async def test_mail_at_its_final_dot_may_have_arrived(config: Path, servers: Servers) -> None:
    servers["Home"].script = SCRIPTS["Home"].but(answers={Step.DOT: hang_up()})

    async with running(config) as hass:
        mails = {mail["subject"]: mail for mail in await waiting(hass, "home")}
        await start(hass)
        for minutes in (5, 20, 60):
            await pass_time(hass, minutes=minutes)
        attempts = Counter(message_of(mail.content)["Subject"] for mail in servers.taken()["Home"])

    assert mails["At the dot"]["attempts"] == 1
    assert mails["At the dot"]["kind"] == "disconnected"
    assert mails["At the dot"]["reply"] == "interrupted before the final reply"
    assert mails["Urgent"]["attempts"] == 0
    # One lost reply was on record, so it is tried once less than the others before it is given up.
    assert attempts["Urgent"] == attempts["At the dot"] + 1


async def test_options_mean_the_same(config: Path, servers: Servers) -> None:
    async with running(config) as hass:
        await start(hass)
        servers.taken()
        assert await send(hass, "Office", "New", "bea@example.test") == "sent"
        [new] = servers.taken()["Office"]
        assert await send(hass, "Guarded", "First", "finn@example.test") == "sent"
        assert await send(hass, "Guarded", "Second", "finn@example.test") == "queued"
        await servers.stop("Office", "Backed")
        for _ in range(3):
            assert await send(hass, "Office", "Kept", "bea@example.test") == "queued"
        with pytest.raises(HomeAssistantError) as full:
            await send(hass, "Office", "One too many", "bea@example.test")
        assert await send(hass, "Backed", "Passed on", "bea@example.test") == "queued"
        await pass_time(hass, minutes=4)
        assert servers.taken()["Relay"] == []
        await pass_time(hass, minutes=7)
        [passed_on] = servers.taken()["Relay"]

    office = message_of(new.content)
    assert office["From"] == "Our office <anna@example.test>"
    assert office["Reply-To"] == "Anna <anna@example.test>, office@example.test"
    assert full.value.translation_key == "outbox_full"
    assert passed_on.sender == "relay@example.test"
    assert message_of(passed_on.content)["Reply-To"] == "anna@example.test"
    assert "EHLO office.example.test" in servers["Office"].record.commands("EHLO")


@pytest.mark.usefixtures("servers")
async def test_the_dialog_of_the_options_shows_each_as_it_was_set(config: Path) -> None:
    async with running(config) as hass:
        shown = {}
        for entry in hass.config_entries.async_entries(DOMAIN):
            form = await hass.config_entries.options.async_init(entry.entry_id)
            shown[entry.title] = dict(suggested_in(form["data_schema"]))
            hass.config_entries.options.async_abort(form["flow_id"])

    for account in entries_in(config):
        assert account["options"].items() <= shown[account["title"]].items()


async def test_1_0_0_takes_up_what_is_stored_now(
    config: Path, servers: Servers, tmp_path: Path
) -> None:
    of_1_0_0 = entities_stored_in(config)
    shutil.rmtree(config / OUTBOX)
    async with running(config) as hass:
        await start(hass)
        await leave_past(hass, servers)
        await come_too_fast(hass)
        await come_too_fast_for_all(hass)
        office = hass.config_entries.async_get_entry("office")
        assert office is not None
        hass.config_entries.async_update_entry(
            office, options={**office.options, "sender_name": "Another name"}
        )
        await hass.async_block_till_done()
        await servers.stop()
        await leave_waiting(hass)
        now = await notes(hass)
    servers.taken()
    mails = [*mails_in(config)]
    assert Counter(mail.account for mail in mails) == {
        title: len(note["waiting"]) for title, note in now.items()
    }
    # what 1.0.0 does not know of: who had a mail sent, and mail that was given up
    records = [*(config / OUTBOX).rglob("*.json")]
    assert all("origin" in json.loads(record.read_bytes()) for record in records)
    assert [*(config / OUTBOX).rglob("given_up/*.eml")]
    await servers.start(*(title for title in servers if title != "Backed"))

    before, after = await run_1_0_0(config, tmp_path)

    taken = servers.taken()
    new = {
        title: [mail for mail in of_one if message_of(mail.content)["Subject"] == NEW]
        for title, of_one in taken.items()
    }
    for title, of_one in taken.items():
        of_one[:] = [mail for mail in of_one if mail not in new[title]]
    assert {title: note["state"] for title, note in before.items()} == dict.fromkeys(
        SCRIPTS, "loaded"
    )
    assert_listed(before, mails)
    for title, note in before.items():
        assert note["entities"].items() <= now[title]["entities"].items()
        assert [brief(each) for each in note["outcomes"]] == [
            brief(each) for each in now[title]["outcomes"]
        ]
    assert of_1_0_0 == shown_by(before)
    assert all(note["waiting"] == [] for note in after.values())
    assert_delivered(taken, mails)
    assert str(message_of(new["Office"][0].content)["From"]) == "Another name <anna@example.test>"


async def run_1_0_0(config: Path, folder: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Run version 1.0.0 on a configuration folder, from somewhere else than the project."""
    install(config)
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        house.__file__,
        str(config),
        cwd=folder,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, errors = await process.communicate()
    assert process.returncode == 0, errors.decode()
    before, after = json.loads(output)
    return before, after


def assert_listed(noted: dict[str, Any], mails: Iterable[StoredMail]) -> None:
    """Hold that each stored mail is shown by its account, with those who are owed it."""
    shown = Counter(
        (title, mail["message_id"], tuple(mail["recipients"]), mail["size"], mail["attempts"])
        for title, note in noted.items()
        for mail in note["waiting"]
    )
    assert shown == Counter(
        (
            mail.account,
            mail.message_id,
            mail.recipients,
            len(mail.data),
            mail.attempts + mail.at_dot,
        )
        for mail in mails
    )


def assert_delivered(taken: dict[str, list[Mail]], mails: Sequence[StoredMail]) -> None:
    """Hold that each came once: as it was, through the backup account, or in its digest."""
    for mail in mails:
        if mail.flooded or mail.account == "Backed":
            continue
        [whole] = [each for each in taken[mail.account] if each.content == mail.data]
        assert whole.recipients == mail.recipients
        assert message_of(whole.content)["Message-ID"] == mail.message_id
        if mail.account != "Guarded":
            taken[mail.account].remove(whole)
    [backed] = [mail for mail in mails if mail.account == "Backed"]
    [passed_on] = taken["Relay"]
    assert passed_on.recipients == backed.recipients
    assert message_of(passed_on.content)["Message-ID"] == backed.message_id
    digests = [(mail.recipients, texts_in(mail)) for mail in taken["Guarded"]]
    assert sorted(digests) == [((address,), texts) for address, texts in HELD.items()]
    rest = {title for title, of_one in taken.items() if of_one}
    assert rest == {"Relay", "Guarded"}


def entities_stored_in(config: Path) -> dict[str, str]:
    """Return the unique ids of the registered entities by their names."""
    entities = stored(config, "entity_registry")["entities"]
    return {entity["entity_id"]: entity["unique_id"] for entity in entities}


def shown_by(noted: dict[str, Any]) -> dict[str, str]:
    """Return the same of those that are there."""
    return {name: key for note in noted.values() for name, key in note["entities"].items()}


def suggested_in(form: Any) -> Iterator[tuple[str, Any]]:
    """Return the values that a form begins with, those of its sections included."""
    for marker, field in form.schema.items():
        if isinstance(field, section):
            yield from suggested_in(field.schema)
        elif "suggested_value" in (marker.description or {}):
            yield str(marker), marker.description["suggested_value"]


def state_of(hass: HomeAssistant, entity_id: str) -> str:
    """Return what an entity shows."""
    state = hass.states.get(entity_id)
    assert state is not None
    return state.state


def outcomes_of(config: Path, entry_id: str) -> list[tuple[Any, ...]]:
    """Return what 1.0.0 has noted down of the mails of an account."""
    return [
        brief(each) for each in json.loads((config / OUTBOX / entry_id / "history").read_text())
    ]


def brief(outcome: dict[str, Any]) -> tuple[Any, ...]:
    """Return what is the same in a history and where it is shown."""
    return outcome["outcome"], outcome["message_id"], outcome["attempts"], outcome.get("reason")
