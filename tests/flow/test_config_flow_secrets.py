"""No page of the set-up dialog shows the password, whatever the server makes of it."""

import base64
from typing import Any
from urllib.parse import quote

from homeassistant.core import HomeAssistant
import pytest

from tests.support.dialogs import Dialog, typed_for
from tests.support.fixtures import Bed
from tests.support.script import HEALTHY_TLS, PASSWORD, USERNAME, Script, Step, say

IN_BASE64 = base64.b64encode(f"\0{USERNAME}\0{PASSWORD}".encode()).decode()
ECHOES = (
    PASSWORD,
    PASSWORD.upper(),
    "Open-  Sesame -7421",
    "Open-Sesa\n{code}5.7.8 me-7421",
    quote(PASSWORD).replace("-", "%2d"),
    base64.b64encode(f"{USERNAME}:{PASSWORD}".encode()).decode(),
    f"{IN_BASE64[:44]}\n{{code}}{IN_BASE64[44:]}",
)
PARTS = ("open-", "sesa", "7421", *(ECHOES[5][at : at + 8] for at in (28, 32, 36)))
LAST_PARTS = (IN_BASE64[-14:-2],)


def shown_by(dialog: Dialog) -> str:
    """Return all that a page says, without its blanks and in small letters."""
    values: dict[str, Any] = dict(dialog.page.get("description_placeholders") or {})
    texts = [*values.values(), *dialog.error_texts.values(), dialog.description]
    return "".join("".join(map(str, texts)).split()).lower()


def assert_nothing_shown(dialog: Dialog) -> None:
    said = shown_by(dialog)
    assert "redacted" in said
    for part in (*PARTS, *LAST_PARTS):
        assert part.lower() not in said


@pytest.mark.parametrize("echo", ECHOES)
@pytest.mark.parametrize("step", [Step.AUTH_VERDICT, Step.MAIL, Step.EHLO])
async def test_a_refusal_is_shown_without_it(
    hass: HomeAssistant, bed: Bed, step: Step, echo: str
) -> None:
    first, *more = f"5.7.8 Wrong: {echo}".replace("{code}", "").split("\n")
    lines = [f"554-{first}", *(f"554-{line}" for line in more), "554 Bye"]
    answers = {step: say("\n".join(lines)), Step.HELO: say("\n".join(lines))}
    dialog = await Dialog.new_account(hass)
    await dialog.fill_in(**typed_for(await bed.serve(HEALTHY_TLS.but(answers=answers))))
    assert dialog.errors
    assert_nothing_shown(dialog)


@pytest.mark.parametrize("echo", [PASSWORD, PASSWORD.upper(), IN_BASE64])
async def test_the_last_page_names_the_server_without_it(
    hass: HomeAssistant, bed: Bed, echo: str
) -> None:
    script = Script(answers={Step.GREETING: say(f"220 {echo} ESMTP")})
    dialog = await Dialog.new_account(hass)
    await dialog.fill_in(**typed_for(await bed.serve(script)))
    assert dialog.step == "finish"
    assert_nothing_shown(dialog)


@pytest.mark.parametrize("echo", ECHOES[:3])
async def test_a_refused_test_mail_is_shown_without_it(
    hass: HomeAssistant, bed: Bed, echo: str
) -> None:
    script = HEALTHY_TLS.but(recipient_replies={"bea@example.test": f"550 5.1.1 No: {echo}"})
    dialog = await Dialog.new_account(hass)
    await dialog.fill_in(**typed_for(await bed.serve(script)))
    await dialog.submit(test_recipient="bea@example.test")
    assert dialog.errors == {"test_recipient": "recipient_rejected"}
    assert_nothing_shown(dialog)
