"""Every page of the set-up dialog can be left for the one before it, and nothing typed is lost."""

from homeassistant.core import HomeAssistant

from tests.support.accounts import account_entry
from tests.support.certificates import ServerTls
from tests.support.dialogs import Dialog, typed_for
from tests.support.fixtures import Bed
from tests.support.script import HEALTHY, PASSWORD, USERNAME


async def test_from_the_summary_to_the_beginning_and_forward_again(
    hass: HomeAssistant, bed: Bed
) -> None:
    server = await bed.serve(HEALTHY.but(hello_pattern="ha.example.test"))
    typed = typed_for(server, hello_name="ha.example.test")
    dialog = await Dialog.new_account(hass)
    await dialog.fill_in(**typed)

    for page in ("login", "server", "address"):
        await dialog.submit(go_back=True)
        assert dialog.step == page
        shown = {name: value for name, value in dialog.fields.items() if name in typed}
        assert shown == {name: typed[name] for name in shown}

    for page in ("server", "login", "finish"):
        await dialog.submit()
        assert dialog.step == page
    await dialog.submit(sender_name=None)
    assert dialog.entry.data["password"] == PASSWORD
    assert dialog.entry.options["hello_name"] == "ha.example.test"


async def test_the_way_back_is_folded_away_on_every_page(hass: HomeAssistant, bed: Bed) -> None:
    server = await bed.serve()
    dialog = await Dialog.new_account(hass)
    for typed in ({"sender": USERNAME}, {"host": server.host, "port": server.port}):
        assert "go_back" not in map(str, dialog.page["data_schema"].schema)
        await dialog.submit(**typed)
    assert dialog.step == "login"
    assert "go_back" not in map(str, dialog.page["data_schema"].schema)
    await dialog.submit(password=PASSWORD)
    assert dialog.step == "finish"
    assert "go_back" not in map(str, dialog.page["data_schema"].schema)


async def test_the_first_page_has_no_way_back(hass: HomeAssistant) -> None:
    dialog = await Dialog.new_account(hass)
    assert "go_back" not in dialog.fields


async def test_an_empty_page_can_be_left(hass: HomeAssistant) -> None:
    dialog = await Dialog.new_account(hass)
    await dialog.submit(sender=USERNAME)
    assert not dialog.fields["host"]
    await dialog.submit(go_back=True)
    assert dialog.step == "address"
    await dialog.submit()
    await dialog.submit(host="mail.example.test")
    await dialog.submit(username=None, go_back=True)
    assert dialog.step == "server"
    assert dialog.fields["host"] == "mail.example.test"


async def test_half_a_login_is_kept_on_the_way_back(hass: HomeAssistant) -> None:
    dialog = await Dialog.new_account(hass)
    await dialog.submit(sender=USERNAME)
    await dialog.submit(host="mail.example.test")
    await dialog.submit(username="anna", go_back=True)
    await dialog.submit()
    assert dialog.step == "login"
    assert dialog.fields["username"] == "anna"
    assert not dialog.errors


async def test_from_the_certificate_back_to_the_server(hass: HomeAssistant, bed: Bed) -> None:
    server = await bed.serve(HEALTHY.but(tls_kind=ServerTls.SELF_SIGNED))
    dialog = await Dialog.new_account(hass)
    await dialog.fill_in(**typed_for(server))
    assert dialog.step == "certificate"
    await dialog.submit(trust_certificate=True, go_back=True)
    assert (dialog.step, dialog.errors) == ("server", {})
    await dialog.submit()
    assert dialog.step == "certificate", "a yes on the way back is none"


async def test_from_a_refused_sender_the_way_back_leads_to_the_login(
    hass: HomeAssistant, bed: Bed
) -> None:
    server = await bed.serve(HEALTHY.but(own_senders=frozenset({"bea@example.test"})))
    dialog = await Dialog.new_account(hass)
    await dialog.fill_in(**typed_for(server))
    assert dialog.errors == {"base": "sender_rejected"}
    await dialog.submit(go_back=True)
    assert (dialog.step, dialog.errors) == ("login", {})
    assert dialog.fields["password"] == PASSWORD


async def test_a_sender_that_was_refused_is_corrected_by_one_click(
    hass: HomeAssistant, bed: Bed
) -> None:
    server = await bed.serve(HEALTHY.but(own_senders=frozenset({"bea@example.test"})))
    dialog = await Dialog.new_account(hass)
    await dialog.fill_in(**typed_for(server))
    await dialog.submit(sender="bea@example.test")
    assert dialog.step == "finish"
    await dialog.submit()
    assert dialog.entry.title == "bea@example.test"
    assert dialog.entry.data["username"] == USERNAME


async def test_a_reconfiguration_can_be_walked_back_too(hass: HomeAssistant, bed: Bed) -> None:
    server = await bed.serve()
    entry = account_entry(server)
    entry.add_to_hass(hass)
    dialog = await Dialog.reconfiguration(hass, entry)
    await dialog.fill_in()
    for page in ("login", "server", "address"):
        await dialog.submit(go_back=True)
        assert dialog.step == page
    await dialog.fill_in()
    assert dialog.step == "finish"
