"""What people type and paste into the set-up dialog."""

from homeassistant.core import HomeAssistant
import pytest

from tests.reports.driver import account_at, only_mail, read, send, set_up, typed_for
from tests.reports.reports import report
from tests.reports.servers import (
    HEALTHY,
    HEALTHY_TLS,
    PASSWORD,
    PLAIN_LOGIN,
    PLAIN_RELAY,
    USERNAME,
    Bed,
    Network,
    Script,
)

HOST = "mail.example.test"
TO = "bea@example.test"


@report(
    source="RocketChat/Rocket.Chat#16519",
    symptom="A URL typed as the host: getaddrinfo ENOTFOUND http.",
    ours="A URL or host:port is taken apart into host, port and encryption.",
    held_at_first=False,
)
@pytest.mark.parametrize(
    ("typed", "script", "encryption"),
    [
        ("mail.example.test:{port}", HEALTHY, "starttls"),
        ("mail.example.test:{port} ", HEALTHY, "auto"),
        ("smtp://mail.example.test:{port}", HEALTHY, "starttls"),
        ("smtp://mail.example.test:{port}/", HEALTHY, "auto"),
        ("smtps://mail.example.test:{port}", HEALTHY_TLS, "auto"),
        ("SMTP://mail.example.test:{port}", HEALTHY, "starttls"),
        ("127.0.0.1:{port}", PLAIN_RELAY, "none"),
    ],
)
async def test_a_host_with_its_port_is_taken_apart(
    hass: HomeAssistant, bed: Bed, network: Network, typed: str, script: Script, encryption: str
) -> None:
    server = await bed.serve(script)
    network.add(HOST, {server.port: server})

    dialog = await set_up(
        hass,
        **typed_for(server, host=typed.format(port=server.port), port=2525, encryption=encryption),
    )

    assert dialog.outcome == "ok", dialog.said
    assert dialog.entry.data["port"] == server.port
    assert not set(dialog.entry.data["host"]) & set("/ ")


@report(
    source="knadh/listmonk#1746",
    symptom='" smtp.example.com " with blanks from copying: no such host.',
    ours="Blanks around the host, and a path or a scheme, are taken away.",
    held_at_first=False,
)
@pytest.mark.parametrize(
    "typed",
    [
        " mail.example.test ",
        "mail.example.test.",
        "mail.example.test\n",
        "https://mail.example.test/",
        "http://mail.example.test/webmail?x=1",
        "mail.example.test/",
        "\u200bmail.example.test",
        "mail.example.test\u00a0",
        "MAIL.Example.TEST",
    ],
)
async def test_a_host_is_cleaned(
    hass: HomeAssistant, bed: Bed, network: Network, typed: str
) -> None:
    server = await bed.serve()
    network.add(HOST, {2525: server})

    dialog = await set_up(hass, **typed_for(server, host=typed, port=2525))

    assert dialog.outcome == "ok", dialog.said


@report(
    source="nodemailer/nodemailer#626",
    symptom="Something that is no host name ends in a riddle of the resolver.",
    ours="host_not_found, and the form as it was typed.",
    held_at_first=True,
)
@pytest.mark.parametrize("typed", ["a_lebdiri", "anna@example.test", "two words", "-", "1234"])
async def test_no_host_is_told_as_one(hass: HomeAssistant, network: Network, typed: str) -> None:
    dialog = await set_up(
        hass, sender=USERNAME, host=typed, port=2525, encryption="starttls", username=None
    )

    assert dialog.outcome == "host_not_found"
    assert dialog.fields["host"] == typed
    assert network.hosts == {}


@report(
    source="grafana/grafana#13771",
    symptom="Name <address> as the sender is refused, or the name is dropped without a word.",
    ours="The name becomes the sender's name.",
    held_at_first=False,
)
@pytest.mark.parametrize(
    ("typed", "name"),
    [
        (f"HA <{USERNAME}>", "HA"),
        (f'"House, Home" <{USERNAME}>', "House, Home"),
        (f"统一身份认证 <{USERNAME}>", "统一身份认证"),
        (f"Käte Müller <{USERNAME}>", "Käte Müller"),
    ],
)
async def test_the_name_beside_the_sender_is_kept(
    hass: HomeAssistant, bed: Bed, typed: str, name: str
) -> None:
    server = await bed.serve()
    await account_at(hass, server, sender=typed)

    await send(hass, to=TO)

    sender = read(only_mail(server).content)["From"].addresses[0]
    assert (sender.display_name, sender.addr_spec) == (name, USERNAME)


@report(
    source="aschroder/Magento-SMTP-Pro-Email-Extension#181",
    symptom="A blank before or after the username: the login fails.",
    ours="Blanks around username and sender are taken away.",
    held_at_first=True,
)
@pytest.mark.parametrize(
    "changes",
    [
        {"username": f" {USERNAME}"},
        {"username": f"{USERNAME} \n"},
        {"sender": f" {USERNAME} "},
        {"username": f"\u00a0{USERNAME}"},
    ],
)
async def test_blanks_around_username_and_sender_are_taken_away(
    hass: HomeAssistant, bed: Bed, changes: dict[str, str]
) -> None:
    server = await bed.serve()

    assert (await set_up(hass, **typed_for(server, **changes))).outcome == "ok"


@report(
    source="home-assistant/core#84721",
    symptom="The username stands in From instead of the sender that was configured.",
    ours="Username and sender are independent.",
    held_at_first=True,
)
@pytest.mark.parametrize("username", [USERNAME, "apikey", "MYCOMPANY\\XYZ", "emailapikey"])
async def test_the_username_is_no_sender(hass: HomeAssistant, bed: Bed, username: str) -> None:
    server = await bed.serve(HEALTHY.but(users={username: PASSWORD}))
    await account_at(hass, server, sender="ha@example.test", username=username, sender_name=None)

    await send(hass, to=TO)

    mail = only_mail(server)
    assert mail.sender == "ha@example.test"
    assert mail.username == username
    assert read(mail.content)["From"] == "ha@example.test"


@report(
    source="stonith404/pingvin-share#592",
    symptom='A relay without login: empty fields end in "Missing credentials".',
    ours="No username means no login.",
    held_at_first=True,
)
@pytest.mark.parametrize("script", [PLAIN_RELAY, HEALTHY, HEALTHY_TLS, PLAIN_LOGIN])
async def test_no_username_means_no_login(hass: HomeAssistant, bed: Bed, script: Script) -> None:
    server = await bed.serve(script)

    dialog = await set_up(hass, **typed_for(server, username=None, password=None))

    assert dialog.outcome == "ok"
    assert server.record.auth_commands == 0


@report(
    source="keephq/keep#2342",
    symptom="A username where the server has no login: SMTP AUTH extension not supported.",
    ours="auth_not_offered, with the form as it was typed.",
    held_at_first=True,
)
async def test_a_login_that_the_server_does_not_have_is_told(hass: HomeAssistant, bed: Bed) -> None:
    server = await bed.serve(PLAIN_RELAY)

    dialog = await set_up(hass, **typed_for(server, username="test", password="test"))

    assert dialog.outcome == "auth_not_offered"
