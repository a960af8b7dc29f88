"""The English texts: one for everything that can be said, none for what never is."""

import ast
from collections.abc import Iterator
import json
from pathlib import Path
import re
from typing import Any

from homeassistant.const import WEEKDAYS
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import section
from homeassistant.helpers import config_validation as cv
import pytest

from custom_components.email_courier import config_flow
from custom_components.email_courier.flow import (
    forms as flow_forms,
    options as options_flow,
    recipient as recipient_flow,
    report as report_flow,
)
from custom_components.email_courier.flow.core_smtp import CoreAccount
from custom_components.email_courier.flow.draft import Draft
from custom_components.email_courier.mail.arrival.judge import Concern
from custom_components.email_courier.mail.discovery.model import Hint, Origin, SecretKind
from custom_components.email_courier.mail.failure import Cause, FailureKind, Stage
from custom_components.email_courier.mail.outbox.events import (
    Deferred,
    Delivered,
    Dropped,
    Failed,
    HandedOver,
    Kept,
)
from custom_components.email_courier.mail.settings import Encryption
from custom_components.email_courier.phrases import Phrases, as_code
from custom_components.email_courier.report.plan import Frequency, ReportSection
from tests.support.accounts import account_entry
from tests.support.dialogs import TEXTS
from tests.support.fixtures import Bed

TRANSLATIONS = Path(config_flow.__file__).parent / "translations"
KINDS = {kind.value for kind in FailureKind}
PHRASES = TEXTS["selector"]["phrase"]["options"]
RECIPIENT = TEXTS["config_subentries"]["recipient"]
REPORT = TEXTS["config_subentries"]["report"]
CHOICES = {
    "section": {section.value for section in ReportSection},
    "frequency": {frequency.value for frequency in Frequency},
    "weekday": set(WEEKDAYS),
}
SOURCES = [
    path
    for path in Path(config_flow.__file__).parent.rglob("*.py")
    if "__pycache__" not in path.parts
]
FORMS = {
    "core_account": flow_forms.core_account_form({"id": CoreAccount("", Draft(), {}, ())}),
    "address": flow_forms.address_form(offers_lookup=True, offers_back=True),
    "server": flow_forms.server_form(),
    "certificate": flow_forms.certificate_form(),
    "login": flow_forms.login_form(offers_other_ways=True),
    "plain_login": flow_forms.plain_login_form(),
    "finish": flow_forms.finish_form(offers_name=True),
    "tested": flow_forms.tested_form(),
    "google": flow_forms.google_form(),
    "microsoft": flow_forms.microsoft_form(),
    "custom": flow_forms.custom_form(),
    "credentials_google": flow_forms.credentials_form(),
    "credentials_microsoft": flow_forms.credentials_form(),
    "signed_in": flow_forms.signed_in_form(list(flow_forms.LoginWith), flow_forms.LoginWith.KEEP),
}
_PLACEHOLDER = re.compile(r"\{(\w+)\}")
_ADDRESS = re.compile(r"://\w")


def texts_in(tree: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Yield every text with its place."""
    if isinstance(tree, str):
        yield path, tree
    else:
        for name, branch in tree.items():
            yield from texts_in(branch, f"{path}.{name}" if path else name)


def fields_of(form: Any) -> Iterator[tuple[str | None, str]]:
    """Yield every field with its section."""
    for marker, field in form.schema.items():
        if isinstance(field, section):
            yield from ((str(marker), name) for _, name in fields_of(field.schema))
        else:
            yield None, str(marker)


def texts_of_fields(step: dict[str, Any], texts: str = "data") -> Iterator[tuple[str | None, str]]:
    """Yield every field that has such a text, with its section."""
    yield from ((None, name) for name in step.get(texts, {}))
    for title, part in step.get("sections", {}).items():
        yield from ((title, name) for name in part.get(texts, {}))


def calls(*functions: str) -> Iterator[ast.Call]:
    """Yield every call of a function or method of one of these names."""
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                name = getattr(node.func, "attr", getattr(node.func, "id", ""))
                if name in functions:
                    yield node


def literals_in(*functions: str) -> set[str]:
    """Return all texts that stand as they are in the arguments of such calls."""
    return {
        argument.value
        for call in calls(*functions)
        for argument in [*call.args, *(keyword.value for keyword in call.keywords)]
        if isinstance(argument, ast.Constant) and isinstance(argument.value, str)
    }


@pytest.mark.parametrize("place", ["config", "options"])
def test_every_kind_of_failure_has_an_error_text(place: str) -> None:
    assert TEXTS[place]["error"].keys() >= KINDS


def test_every_kind_of_failure_has_an_exception_text() -> None:
    assert TEXTS["exceptions"].keys() >= KINDS


@pytest.mark.parametrize("place", ["config", "options"])
def test_an_error_says_what_happened_then_quotes_the_server_then_says_what_to_do(
    place: str,
) -> None:
    for kind in KINDS:
        happened, _, advice = re.split(r"(\{said\}|\{reply\}\.)", TEXTS[place]["error"][kind])
        assert len(happened.split()) >= 3, kind
        assert len(advice.replace("{remedy}", "").split()) >= 2, kind
        asks_a_server = kind not in {"invalid_sender", "invalid_recipient"}
        assert advice.endswith("{remedy}") is asks_a_server, kind


def test_errors_of_a_recipient_have_their_texts() -> None:
    assert RECIPIENT["error"].keys() == {
        FailureKind.INVALID_RECIPIENT.value,
        "domain_without_dot",
    }


def test_every_field_has_its_name_and_is_explained_and_no_text_is_left_over() -> None:
    pages = TEXTS["config"]["step"]
    assert FORMS.keys() == {
        page for page, texts in pages.items() if "data" in texts or "sections" in texts
    }
    for page, form in FORMS.items():
        for texts in ("data", "data_description"):
            assert set(fields_of(form)) == set(texts_of_fields(pages[page], texts)), page


@pytest.mark.parametrize("page", ["user", "reconfigure", "when"])
def test_every_field_of_a_report_has_its_name_and_is_explained(page: str) -> None:
    assert hasattr(report_flow.ReportFlow, f"async_step_{page}")
    what = ("name", "recipients", "frequency", "sections", "charts", "facts")
    fields = ("weekday", "day", "time") if page == "when" else what
    for texts in ("data", "data_description"):
        assert set(texts_of_fields(REPORT["step"][page], texts)) == {(None, one) for one in fields}


def test_every_choice_of_a_report_has_its_name_and_every_error_its_text() -> None:
    options = {name: set(TEXTS["selector"][f"report_{name}"]["options"]) for name in CHOICES}
    assert options == CHOICES
    assert REPORT["error"].keys() == {FailureKind.INVALID_RECIPIENT.value, "report_empty"}


@pytest.mark.parametrize("page", ["user", "reconfigure"])
def test_every_field_of_a_recipient_has_its_name_and_is_explained(page: str) -> None:
    dialog = recipient_flow.RecipientFlow
    assert hasattr(dialog, f"async_step_{page}")
    fields = {(None, name) for name in ("name", "to", "cc", "bcc", "layout")}
    for texts in ("data", "data_description"):
        assert set(texts_of_fields(RECIPIENT["step"][page], texts)) == fields


async def test_every_option_has_its_name_and_is_explained(hass: HomeAssistant, bed: Bed) -> None:
    server = await bed.serve()
    entry, other = account_entry(server), account_entry(server)
    other.add_to_hass(hass)
    fields = set(fields_of(options_flow.options_form(hass, entry)))
    page = TEXTS["options"]["step"]["init"]
    assert set(texts_of_fields(page)) == fields
    assert set(texts_of_fields(page, "data_description")) == fields
    assert page["sections"].keys() == {title for title, _ in fields if title is not None}


def test_every_page_that_has_texts_exists() -> None:
    for step in TEXTS["config"]["step"]:
        assert hasattr(config_flow.EmailCourierConfigFlow, f"async_step_{step}")
    for step in TEXTS["options"]["step"]:
        assert hasattr(options_flow.EmailCourierOptionsFlow, f"async_step_{step}")


def test_every_line_of_a_menu_leads_somewhere() -> None:
    for step in TEXTS["config"]["step"].values():
        options = step.get("menu_options", {})
        for option in options:
            assert hasattr(config_flow.EmailCourierConfigFlow, f"async_step_{option}")
        assert step.get("menu_option_descriptions", options).keys() == options.keys()


def test_no_title_of_a_page_needs_a_value() -> None:
    # Home Assistant's pages give titles none.
    for page, step in TEXTS["config"]["step"].items():
        assert not _PLACEHOLDER.search(step["title"]), page


def test_every_button_is_named() -> None:
    for page in (*FORMS, "core_account"):
        assert TEXTS["config"]["step"][page]["submit"], page
    for page in RECIPIENT["step"].values():
        assert page["submit"] == TEXTS["config"]["step"]["finish"]["submit"]


def test_progress_is_named_for_every_stage_of_a_handshake_and_for_nothing_else() -> None:
    stages = {stage.value for stage in Stage} - {Stage.RECIPIENT, Stage.DATA, Stage.ACCEPTED}
    assert stages | {"discovery", "test_mail"} == TEXTS["config"]["progress"].keys()
    assert TEXTS["options"]["progress"].keys() == {"handshake"}


def test_every_choice_of_encryption_has_its_name() -> None:
    choices = {encryption.value for encryption in Encryption}
    assert TEXTS["selector"]["encryption"]["options"].keys() == choices


def test_every_phrase_is_said_and_everything_said_is_there() -> None:
    said = literals_in("say", "typing_error") & PHRASES.keys()
    for call in calls("say"):
        if isinstance(call.args[0], ast.Constant):
            assert call.args[0].value in PHRASES
    for call in calls("typing_error"):
        assert isinstance(call.args[2], ast.Constant)
        assert call.args[2].value in PHRASES
    said |= {f"hint_{hint}" for hint in Hint}
    said |= {f"arrival_{concern}" for concern in Concern}
    said |= {f"secret_{secret}" for secret in SecretKind if secret is not SecretKind.PASSWORD}
    said |= {f"origin_{origin}" for origin in Origin}
    said |= {f"encryption_{encryption}" for encryption in Encryption}
    said |= {f"encrypted_{encryption}" for encryption in (Encryption.TLS, Encryption.STARTTLS)}
    said |= set(Cause)
    said |= {name for name in PHRASES if name.startswith(("file_", "disk_", "oauth_"))}
    said |= {"decimal_mark"}
    said |= {f"activity_{reason}" for reason in (*Kept, "expired")}
    outcomes = (Delivered, Deferred, Failed, HandedOver, Dropped)
    said |= {f"activity_{event.outcome}" for event in outcomes}
    said |= {name for name in PHRASES if name.startswith("classic_")}
    assert said == PHRASES.keys()


def test_a_phrase_takes_a_servers_braces_as_they_are() -> None:
    phrases = Phrases({"said": "{reply} from {host}"})
    assert phrases.say("said", reply="{host} {oops}", host="mail") == "{host} {oops} from mail"


def test_a_strangers_words_stay_code() -> None:
    assert as_code("[a](b) `c` **d**") == "`[a](b)  c  **d**`"
    assert as_code(" ` ") == "-"


def test_all_texts_are_such_that_home_assistant_can_show_them() -> None:
    for place, text in texts_in(TEXTS):
        cv.string_with_no_html(text)
        assert text, place
        assert text == text.strip(), place
        assert not _ADDRESS.search(text), place
        # What is left once the values are out holds no brace, so that none is misspelt.
        assert not set("{}") & set(_PLACEHOLDER.sub("", text)), place
        # An apostrophe in front of a brace would quote it.
        assert "'{" not in text, place
        assert re.fullmatch(r"[a-z0-9_.-]+", place), place


@pytest.mark.parametrize(
    "language", sorted(TRANSLATIONS.glob("*.json")), ids=lambda path: path.stem
)
def test_the_search_for_mail_offers_sending_first_and_dropping_last(language: Path) -> None:
    # Home Assistant's search puts names with fewer words first where all of them match.
    actions = json.loads(language.read_text(encoding="utf-8"))["services"]
    words = {action: len(texts["name"].split()) for action, texts in actions.items()}
    assert words["send_message"] < min(
        words[action] for action in words if action != "send_message"
    )
    assert words["drop_waiting"] > max(words["list_waiting"], words["retry_waiting"])
