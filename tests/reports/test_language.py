"""In which language a person is told, and that nobody sees a key instead of a sentence."""

from collections.abc import Iterator
from contextlib import contextmanager
import json
from pathlib import Path
import re
from typing import Any

from aiohttp.test_utils import make_mocked_request
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.http import current_request
from homeassistant.helpers.translation import async_get_translations
import pytest

from tests.reports.driver import account_at, dialog_at, send
from tests.reports.reports import report
from tests.reports.servers import HEALTHY, HEALTHY_TLS, Bed, Step, say

ROOT = Path(__file__).resolve().parents[2]
TRANSLATIONS = ROOT / "custom_components" / "email_courier" / "translations"
LANGUAGES = sorted(path.stem for path in TRANSLATIONS.glob("*.json"))
_RAW_KEY = re.compile(r"\[%key|\b[a-z]+_[a-z]+_[a-z_]+\b(?!\.\w)")


def _texts(language: str) -> dict[str, Any]:
    texts: dict[str, Any] = json.loads(
        (TRANSLATIONS / f"{language}.json").read_text(encoding="utf-8")
    )
    return texts


def _leaves(tree: Any, path: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(tree, str):
        yield path, tree
    else:
        for name, branch in tree.items():
            yield from _leaves(branch, f"{path}.{name}")


@contextmanager
def _reading(language: str) -> Iterator[None]:
    """Serve the request of a browser in this language."""
    token = current_request.set(
        make_mocked_request("POST", "/", headers={"Accept-Language": language})
    )
    try:
        yield
    finally:
        current_request.reset(token)


@report(
    source="jrhubott/adaptive-cover-pro#905",
    symptom="The summary in the dialog is always English, whatever language its reader has.",
    ours="The summary is in the reader's language, which the request tells.",
    held_at_first=False,
)
@pytest.mark.parametrize(("language", "words"), [("de", "Anmeldung"), ("fr", "Identification")])
async def test_the_summary_is_in_the_readers_language(
    hass: HomeAssistant, bed: Bed, language: str, words: str
) -> None:
    with _reading(language):
        dialog = await dialog_at(
            hass, bed, HEALTHY.but(answers={Step.DOT: say("554 No")}), test_recipient="b@c.test"
        )
    assert words in dialog.result["description_placeholders"]["summary"]


@report(
    source="jrhubott/adaptive-cover-pro#575",
    symptom="What the dialog says comes in the language of the system and not of the user.",
    ours="Reasons, hints and the server's summary are in the user's; the server is quoted.",
    held_at_first=False,
)
@pytest.mark.parametrize(
    ("language", "words"), [("de", "Der Server sagte"), ("es", "El servidor dijo")]
)
async def test_an_error_is_in_the_users_language_and_not_in_the_systems(
    hass: HomeAssistant, bed: Bed, language: str, words: str
) -> None:
    hass.config.language = "it"
    with _reading(language):
        dialog = await dialog_at(
            hass, bed, HEALTHY.but(answers={Step.AUTH: say("535 5.7.8 Wrong")})
        )
    assert dialog.outcome == "invalid_auth"
    assert words in dialog.said
    assert "535 5.7.8 Wrong" in dialog.said


@report(
    source="alepee/hass-hitachi_yutaki#302",
    symptom="The options show raw keys, because their errors were never written down.",
    ours="Every error of the set-up has a sentence in the options, too, in every language.",
    held_at_first=True,
)
@pytest.mark.parametrize("language", LANGUAGES)
async def test_no_error_is_shown_by_its_key(hass: HomeAssistant, language: str) -> None:
    texts = _texts(language)
    kinds = texts["entity"]["sensor"]["last_failure"]["state"].keys() - {"none"}
    for place in ("config", "options"):
        loaded = await async_get_translations(hass, language, place, ["email_courier"])
        for kind in kinds:
            sentence = loaded[f"component.email_courier.{place}.error.{kind}"]
            assert " " in sentence or not sentence.isascii()


@report(
    source="custom-components/zaptec#242",
    symptom="A wrong password is answered with `[%key:common::config_flow::error::invalid_auth%]`.",
    ours="Texts are whole sentences; none refers to a key of somebody else's.",
    held_at_first=True,
)
@pytest.mark.parametrize("language", LANGUAGES)
def test_no_text_refers_to_a_key(language: str) -> None:
    assert not [path for path, text in _leaves(_texts(language)) if "[%key" in text]


@report(
    source="home-assistant/core#111516",
    symptom="Validation of translation placeholders for localized (ru) string failed.",
    ours="Every language has exactly the values of English, and nothing is logged.",
    held_at_first=True,
)
@pytest.mark.parametrize("language", LANGUAGES)
async def test_home_assistant_finds_no_fault_with_the_values(
    hass: HomeAssistant, caplog: pytest.LogCaptureFixture, language: str
) -> None:
    for category in ("config", "options", "exceptions", "issues", "selector", "services"):
        await async_get_translations(hass, language, category, ["email_courier"])
    assert "placeholders" not in caplog.text


@report(
    source="benct/lovelace-multiple-entity-row#162",
    symptom="Decimals have a point although the reader's language has a comma.",
    ours="Sizes are written as the reader's language writes numbers.",
    held_at_first=False,
)
@pytest.mark.parametrize(("language", "size"), [("de", "35,9 MB"), ("en", "35.9 MB")])
async def test_a_size_is_written_as_the_language_does(
    hass: HomeAssistant, bed: Bed, language: str, size: str
) -> None:
    with _reading(language):
        dialog = await dialog_at(
            hass,
            bed,
            HEALTHY.but(size_limit=35_900_000, answers={Step.DOT: say("554 No")}),
            test_recipient="b@c.test",
        )
    assert size in dialog.result["description_placeholders"]["summary"]


@report(
    source="hacs/integration#3513",
    symptom="With a zip for releases the main branch is offered and cannot be installed.",
    ours="The branch is hidden: only releases, which have their zip, are offered.",
    held_at_first=True,
)
def test_only_releases_are_offered() -> None:
    settings = json.loads((ROOT / "hacs.json").read_text(encoding="utf-8"))
    assert settings["zip_release"] is True
    assert settings["hide_default_branch"] is True


@report(
    source="elsbrock/cowboy-ha#126",
    symptom="A release is out, its zip is not: every update fails with 404.",
    ours="The release is made together with its zip; without the zip there is no release.",
    held_at_first=False,
)
def test_a_release_comes_with_its_zip() -> None:
    workflow = (ROOT / ".github" / "workflows" / "release.yml").read_text(encoding="utf-8")
    filename = json.loads((ROOT / "hacs.json").read_text(encoding="utf-8"))["filename"]
    assert f'gh release create "$TAG" {filename}' in workflow
    assert "types: [published]" not in workflow


@report(
    source="home-assistant/core#106894",
    symptom="An error of an action is English for a reader of another language.",
    ours="The action's error is in the reader's language, and English in log and traces.",
    held_at_first=False,
)
async def test_an_action_tells_its_caller_in_the_callers_language(
    hass: HomeAssistant, bed: Bed
) -> None:
    await account_at(hass, await bed.serve(HEALTHY_TLS))
    with pytest.raises(HomeAssistantError) as raised, _reading("fr"):
        await send(hass, to="anna", message="Hi")
    told = raised.value.translation_placeholders or {}
    assert "il manque un @" in told["said"]
    assert "has no @" in str(raised.value)
    assert not _RAW_KEY.search(str(raised.value))
