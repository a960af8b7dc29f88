"""The options of an account."""

import asyncio

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.email_courier.const import KEPT_OPTIONS
from custom_components.email_courier.flow import options as options_flow
from custom_components.email_courier.flow.check import CheckResult
from custom_components.email_courier.mail.failure import Failure, FailureKind, Permanence, Stage
from custom_components.email_courier.mail.verify.remedy import Diagnosis
from tests.support.accounts import account_entry, load, load_state
from tests.support.certificates import Certificates
from tests.support.dialogs import Dialog
from tests.support.fixtures import Bed
from tests.support.leaks import nothing_left
from tests.support.script import HEALTHY, PASSWORD, USERNAME, Step, stall
from tests.support.scripted_server import ScriptedServer
from tests.support.sending import send_from

NAME = "ha.example.test"
REFUSED = Failure(FailureKind.TLS_FAILED, Stage.TLS, Permanence.PERMANENT, detail="no")
PICKY = HEALTHY.but(hello_pattern=NAME.replace(".", r"\."))
DEFAULTS = {
    "default_subject": "home_assistant",
    "timeout": 30,
    "write_first": False,
    "max_mails": 10_000,
    "max_megabytes": 1000,
    "drop_large_attachments": False,
    "layout": "plain",
    "waiting_after": 30,
    "hide_subjects": False,
}


async def loaded(hass: HomeAssistant, server: ScriptedServer, **options: object) -> MockConfigEntry:
    entry = account_entry(server, options=options)
    await load(hass, entry)
    return entry


async def test_what_does_not_touch_the_connection_is_saved_at_once(
    hass: HomeAssistant, bed: Bed
) -> None:
    server = await bed.serve()
    entry = await loaded(hass, server)
    dialog = await Dialog.options(hass, entry)
    await dialog.submit(
        sender_name="Our home",
        reply_to=["Bea <bea@example.test>"],
        timeout=60,
        write_first=True,
        flood_limit=20,
    )
    assert dialog.type is FlowResultType.CREATE_ENTRY
    assert entry.options == DEFAULTS | {
        "sender_name": "Our home",
        "reply_to": ["Bea <bea@example.test>"],
        "timeout": 60,
        "write_first": True,
        "flood_limit": 20,
    }
    assert server.record.connections == 0


async def test_options_take_effect_at_once(hass: HomeAssistant, bed: Bed) -> None:
    server = await bed.serve()
    entry = await loaded(hass, server)
    dialog = await Dialog.options(hass, entry)
    await dialog.submit(sender_name="Our home", reply_to=["bea@example.test"])
    assert entry.state is ConfigEntryState.LOADED
    await send_from(entry.runtime_data, "carl@example.test")
    (mail,) = server.record.mails
    assert b"From: Our home <anna@example.test>" in mail.content
    assert b"Reply-To: bea@example.test" in mail.content


async def test_the_form_shows_what_is_stored_and_emptying_a_field_removes_it(
    hass: HomeAssistant, bed: Bed
) -> None:
    entry = await loaded(hass, await bed.serve(), sender_name="Our home", flood_limit=5)
    dialog = await Dialog.options(hass, entry)
    assert {"sender_name": "Our home", "flood_limit": 5, "timeout": 30}.items() <= (
        dialog.fields.items()
    )
    await dialog.submit(sender_name=None, flood_limit=None)
    assert entry.options == DEFAULTS


async def test_a_list_without_a_line_left_is_removed(hass: HomeAssistant, bed: Bed) -> None:
    entry = await loaded(hass, await bed.serve(), reply_to=["bea@example.test"])
    dialog = await Dialog.options(hass, entry)
    await dialog.submit(reply_to=[])
    assert "reply_to" not in entry.options


async def test_a_malformed_reply_address_is_an_error_on_its_field(
    hass: HomeAssistant, bed: Bed
) -> None:
    entry = await loaded(hass, await bed.serve())
    dialog = await Dialog.options(hass, entry)
    await dialog.submit(sender_name="Our home", reply_to=["bea@example.test", "carl"])
    assert dialog.errors == {"reply_to": "invalid_recipient"}
    assert '"carl" has no @' in dialog.error_texts["reply_to"]
    assert dialog.fields["sender_name"] == "Our home"
    assert dialog.fields["reply_to"] == ["bea@example.test", "carl"]
    assert entry.options == KEPT_OPTIONS
    await dialog.submit(reply_to=["bea@example.test"])
    assert entry.options["reply_to"] == ["bea@example.test"]


async def test_a_greeting_is_proven_before_it_is_saved(hass: HomeAssistant, bed: Bed) -> None:
    server = await bed.serve(PICKY)
    entry = await loaded(hass, server)
    dialog = await Dialog.options(hass, entry)
    await dialog.submit(hello_name="other.example.org")
    assert dialog.progress == ["handshake"]
    assert dialog.step == "init"
    assert dialog.errors == {"base": "helo_rejected"}
    assert "504 5.5.2" in dialog.error_texts["base"]
    assert entry.options == KEPT_OPTIONS
    assert server.record.auth_commands == 0

    await dialog.submit(hello_name=NAME)
    assert entry.options == DEFAULTS | {"hello_name": NAME}
    assert server.record.auth_commands == 1


async def test_a_greeting_that_the_server_takes_is_filled_in(hass: HomeAssistant, bed: Bed) -> None:
    server = await bed.serve(HEALTHY.but(hello_pattern=r"homeassistant\.example\.test"))
    entry = await loaded(hass, server)
    dialog = await Dialog.options(hass, entry)
    await dialog.submit(hello_name="other.example.org")
    assert dialog.fields["hello_name"] == "homeassistant.example.test"
    assert "homeassistant.example.test" in dialog.error_texts["base"]
    await dialog.submit()
    assert entry.options["hello_name"] == "homeassistant.example.test"


async def test_what_can_be_no_greeting_is_refused_without_asking(
    hass: HomeAssistant, bed: Bed
) -> None:
    server = await bed.serve()
    dialog = await Dialog.options(hass, await loaded(hass, server))
    await dialog.submit(hello_name="my home")
    assert dialog.errors == {"base": "helo_rejected"}
    assert "has to be a host name" in dialog.error_texts["base"]
    assert dialog.fields["hello_name"] == "my home"
    assert server.record.connections == 0


async def test_an_authority_is_proven_before_it_is_saved(hass: HomeAssistant, bed: Bed) -> None:
    others = Certificates()
    path = hass.config.path("my-ca.pem")
    await hass.async_add_executor_job(_write, path, others.authority_pem)
    entry = await loaded(hass, await bed.serve())
    dialog = await Dialog.options(hass, entry)
    await dialog.submit(ca_file=hass.config.path("none.pem"))
    assert dialog.errors == {"base": "tls_failed"}
    assert "your certificate authority cannot be used" in dialog.error_texts["base"]
    await dialog.submit(ca_file=path)
    assert entry.options["ca_file"] == path


@pytest.mark.parametrize(
    ("diagnosis", "ends_as"),
    [
        (Diagnosis(REFUSED), FlowResultType.FORM),
        (None, FlowResultType.CREATE_ENTRY),
    ],
)
async def test_a_verdict_that_is_there_at_once_is_shown_without_a_page_of_progress(
    hass: HomeAssistant,
    bed: Bed,
    monkeypatch: pytest.MonkeyPatch,
    diagnosis: Diagnosis | None,
    ends_as: FlowResultType,
) -> None:
    async def verdict(*_: object) -> CheckResult:
        return CheckResult(diagnosis=diagnosis)

    monkeypatch.setattr(options_flow, "async_check", verdict)
    entry = await loaded(hass, await bed.serve())
    dialog = await Dialog.options(hass, entry)
    await dialog.submit(hello_name=NAME)
    assert dialog.progress == []
    assert dialog.type is ends_as
    assert ("hello_name" in entry.options) == (diagnosis is None)


async def test_another_servers_settings_are_no_business_of_the_options(
    hass: HomeAssistant, bed: Bed
) -> None:
    server = await bed.serve()
    entry = await loaded(hass, server)
    server.script = HEALTHY.but(users={USERNAME: "changed"})
    dialog = await Dialog.options(hass, entry)
    await dialog.submit(hello_name=NAME)
    assert dialog.errors == {"base": "invalid_auth"}
    assert "filled in" not in dialog.error_texts["base"]
    assert PASSWORD not in str(dialog.page)


async def test_an_account_can_be_backed_up_by_another_one(hass: HomeAssistant, bed: Bed) -> None:
    server = await bed.serve()
    entry = await loaded(hass, server)
    dialog = await Dialog.options(hass, entry)
    assert "backup_account" not in dialog.fields
    dialog.close()

    other = account_entry(server, sender="bea@example.test", title="Other")
    await load(hass, other)
    dialog = await Dialog.options(hass, entry)
    await dialog.submit(backup_account=other.entry_id, backup_after=10)
    assert entry.options["backup_account"] == other.entry_id
    assert entry.options["backup_after"] == 10


async def test_the_backup_that_was_chosen_is_shown_and_stays(hass: HomeAssistant, bed: Bed) -> None:
    server = await bed.serve()
    other = account_entry(server, sender="bea@example.test")
    await load(hass, other)
    entry = await loaded(hass, server, backup_account=other.entry_id, backup_after=10)
    dialog = await Dialog.options(hass, entry)
    assert dialog.fields["backup_account"] == other.entry_id
    await dialog.submit(sender_name="Our home")
    assert entry.options["backup_account"] == other.entry_id
    assert entry.options["backup_after"] == 10


async def test_a_backup_that_is_gone_is_not_shown_any_more(hass: HomeAssistant, bed: Bed) -> None:
    server = await bed.serve()
    entry = await loaded(hass, server, backup_account="01JZZZZZZZZZZZZZZZZZZZZZZZ")
    await load(hass, account_entry(server, sender="bea@example.test"))
    dialog = await Dialog.options(hass, entry)
    assert dialog.fields["backup_account"] is None
    await dialog.submit()
    assert "backup_account" not in entry.options


async def test_closing_the_dialog_while_it_tests_leaves_nothing(
    hass: HomeAssistant, bed: Bed
) -> None:
    server = await bed.serve(HEALTHY.but(answers={Step.GREETING: stall()}))
    entry = await loaded(hass, server)
    dialog = await Dialog.options(hass, entry)
    async with nothing_left(server):
        await dialog.begin(hello_name=NAME)
        async with asyncio.timeout(5):
            while Step.GREETING not in server.record.steps:
                await asyncio.sleep(0.01)
        dialog.close()
        await asyncio.sleep(0.2)
    assert entry.options == KEPT_OPTIONS


async def test_an_account_that_could_not_be_loaded_is_loaded_once_it_is_mended(
    hass: HomeAssistant, bed: Bed
) -> None:
    entry = account_entry(await bed.serve(), options={"ca_file": "/nowhere.pem"})
    entry.add_to_hass(hass)
    await hass.config_entries.async_setup(entry.entry_id)
    assert load_state(entry) is ConfigEntryState.SETUP_ERROR
    dialog = await Dialog.options(hass, entry)
    await dialog.submit(ca_file=None)
    assert load_state(entry) is ConfigEntryState.LOADED


def _write(path: str, text: str) -> None:
    with open(path, "w", encoding="ascii") as file:  # noqa: PTH123 - Home Assistant's path
        file.write(text)
