"""The files of the integration agree with one another; what Home Assistant and HACS check holds."""

from collections.abc import Callable, Iterator
import json
from pathlib import Path
import re
import shutil
from typing import Any

import pytest

from tests.contract import actions, entities, failures, phrases, publishing, texts
from tests.contract.project import DOMAIN, Project

ROOT = Path(__file__).parent.parent
INTEGRATION = f"custom_components/{DOMAIN}"
ENGLISH = f"{INTEGRATION}/translations/en.json"

type Check = Callable[[Project], Iterator[str]]

CHECKS: tuple[Check, ...] = (
    publishing.manifest,
    publishing.changelog,
    publishing.dependencies,
    publishing.hacs,
    publishing.pictures,
    publishing.quality_scale,
    texts.wording,
    texts.languages,
    texts.pages,
    actions.actions,
    actions.fields,
    actions.sections,
    actions.selectors,
    entities.entities,
    entities.states,
    entities.issues,
    entities.health,
    failures.failures,
    failures.failure_values,
    failures.exceptions,
    phrases.phrases,
)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_the_project_keeps(check: Check) -> None:
    assert sorted(check(Project(ROOT))) == []


def complaints(root: Path) -> set[str]:
    project = Project(root)
    return {complaint for check in CHECKS for complaint in check(project)}


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of all that is checked, in English alone: every breach has one complaint then."""
    root = tmp_path_factory.mktemp("original")
    copied(ROOT, root)
    for language in (root / ENGLISH).parent.iterdir():
        if language.name != "en.json":
            language.unlink()
    return root


@pytest.fixture(scope="module")
def before(original: Path) -> set[str]:
    return complaints(original)


def copied(source: Path, target: Path) -> None:
    for folder in (INTEGRATION, "docs", ".github/workflows"):
        ignored = shutil.ignore_patterns("__pycache__", "images")
        shutil.copytree(source / folder, target / folder, ignore=ignored)
    for file in ("hacs.json", "CHANGELOG.md"):
        shutil.copy(source / file, target)


def replaced(file: str, old: str, new: str) -> Callable[[Path], None]:
    """Return what puts one text in another's place."""

    def change(root: Path) -> None:
        text = (root / file).read_text()
        assert old in text
        (root / file).write_text(text.replace(old, new))

    return change


def removed(file: str, *path: str) -> Callable[[Path], None]:
    """Return what takes one entry out of a JSON file."""

    def change(root: Path) -> None:
        tree = json.loads((root / file).read_text())
        parent(tree, path).pop(path[-1])
        (root / file).write_text(json.dumps(tree))

    return change


def written(file: str, text: str, *path: str) -> Callable[[Path], None]:
    """Return what puts a text into a JSON file."""

    def change(root: Path) -> None:
        tree = json.loads((root / file).read_text())
        parent(tree, path)[path[-1]] = text
        (root / file).write_text(json.dumps(tree))

    return change


def parent(tree: Any, path: tuple[str, ...]) -> Any:
    for key in path[:-1]:
        tree = tree[key]
    return tree


def undocumented(kind: str) -> Callable[[Path], None]:
    """Return what takes a failure's row out of the documentation."""

    def change(root: Path) -> None:
        page = root / "docs/failures.md"
        page.write_text(re.sub(rf"^\| `{kind}` \|.*\n", "", page.read_text(), flags=re.MULTILINE))

    return change


def unsorted_manifest(root: Path) -> None:
    path = root / INTEGRATION / "manifest.json"
    manifest = json.loads(path.read_text())
    owners = manifest.pop("codeowners")
    path.write_text(json.dumps({**manifest, "codeowners": owners}))


def another_language(*missing: str, **changed: str) -> Callable[[Path], None]:
    """Return what adds a language that lacks a text, or has another one."""

    def change(root: Path) -> None:
        tree = json.loads((root / ENGLISH).read_text())
        for name in missing:
            tree["system_health"]["info"].pop(name)
        tree["system_health"]["info"] |= changed
        (root / INTEGRATION / "translations" / "xx.json").write_text(json.dumps(tree))

    return change


BREACHES: dict[str, tuple[Callable[[Path], None], set[str]]] = {
    "a translation is removed": (
        removed(ENGLISH, "exceptions", "invalid_auth"),
        {"invalid_auth is not in exceptions", "exceptions: invalid_auth has no text"},
    ),
    "an error of the dialog is removed": (
        removed(ENGLISH, "config", "error", "tls_failed"),
        {"tls_failed is not in config.error"},
    ),
    "an error of the options is removed": (
        removed(ENGLISH, "options", "error", "tls_failed"),
        {"tls_failed is not in options.error"},
    ),
    "a state is removed": (
        removed(ENGLISH, "entity", "sensor", "last_failure", "state", "deferred"),
        {"sensor.last_failure: deferred has no words"},
    ),
    "a sentence is removed": (
        removed(ENGLISH, "selector", "phrase", "options", "remedy_host"),
        {"the phrase remedy_host is not written"},
    ),
    "a hint is removed": (
        removed(ENGLISH, "selector", "phrase", "options", "hint_key_pair"),
        {"the phrase hint_key_pair is not written"},
    ),
    "a repair's texts are removed": (
        removed(ENGLISH, "issues", "outbox_disk"),
        {"the issue outbox_disk has no texts"},
    ),
    "a figure's name is removed": (
        removed(ENGLISH, "system_health", "info", "accounts"),
        {"system health: accounts has no name"},
    ),
    "a field of an action is renamed": (
        replaced(f"{INTEGRATION}/services.yaml", "    thread:\n", "    topic:\n"),
        {
            f"{action}.{fault}"
            for action in ("send_message", "ask")
            for fault in (
                "thread is not in services.yaml",
                "topic has no name or no description",
                "topic is not in docs/actions.md",
                "topic is not in the source",
            )
        },
    ),
    "a field of a page is renamed": (
        replaced(ENGLISH, '"enter_manually": "Enter', '"by_hand": "Enter'),
        {
            "config: address describes enter_manually, which has no name",
            "config: address names by_hand, which is not in the source",
        },
    ),
    "an action is renamed": (
        replaced(f"{INTEGRATION}/services.py", '"drop_waiting"', '"forget_waiting"'),
        {
            "drop_waiting is not registered",
            "forget_waiting is not in services.yaml",
            "forget_waiting has no name or no description",
            "forget_waiting has no icon",
            "forget_waiting is not in docs/actions.md",
        },
    ),
    "an action's icon is missing": (
        removed(f"{INTEGRATION}/icons.json", "services", "list_waiting"),
        {"list_waiting has no icon"},
    ),
    "a section's icon is missing": (
        removed(f"{INTEGRATION}/icons.json", "services", "send_message", "sections", "delivery"),
        {"send_message: the section delivery has no icon"},
    ),
    "an entity's icon is missing": (
        removed(f"{INTEGRATION}/icons.json", "entity", "button", "send_test_mail"),
        {"button.send_test_mail has no icon"},
    ),
    "an entity's name is missing": (
        removed(ENGLISH, "entity", "sensor", "waiting", "name"),
        {"sensor.waiting has no name"},
    ),
    "a choice has no words": (
        removed(ENGLISH, "selector", "priority", "options", "lowest"),
        {"priority: lowest has no words"},
    ),
    "the manifest is unsorted": (
        unsorted_manifest,
        {"manifest.json: its keys are not sorted"},
    ),
    "the manifest has no version": (
        removed(f"{INTEGRATION}/manifest.json", "version"),
        {
            "manifest.json: version is missing",
            "manifest.json: its version is not a semantic one",
            "CHANGELOG.md: it does not begin with the manifest's version",
        },
    ),
    "a version is released that nobody is told of": (
        written(f"{INTEGRATION}/manifest.json", "9.9.9", "version"),
        {"CHANGELOG.md: it does not begin with the manifest's version"},
    ),
    "a dependency is not declared": (
        replaced(f"{INTEGRATION}/manifest.json", '"camera", ', ""),
        {"manifest.json: camera is imported, but no dependency"},
    ),
    "the name in HACS is another": (
        written("hacs.json", "Mail", "name"),
        {"hacs.json: its name is not the manifest's"},
    ),
    "HACS looks for a file that is not released": (
        written("hacs.json", "other.zip", "filename"),
        {"hacs.json: no release makes other.zip"},
    ),
    "a logo is missing": (
        lambda root: (root / INTEGRATION / "brand" / "dark_logo@2x.png").unlink(),
        {"brand: dark_logo@2x.png is missing"},
    ),
    "a failure is not documented": (
        undocumented("message_rejected"),
        {"message_rejected is not in docs/failures.md"},
    ),
    "a failure is new": (
        replaced(
            f"{INTEGRATION}/mail/failure.py",
            '    DEFERRED = "deferred"\n',
            '    DEFERRED = "deferred"\n    MAILBOX_FULL = "mailbox_full"\n',
        ),
        {
            "mailbox_full is not in config.error",
            "mailbox_full is not in options.error",
            "mailbox_full is not in exceptions",
            "mailbox_full is not in docs/failures.md",
            "exceptions: mailbox_full has no text",
            "sensor.last_failure: mailbox_full has no words",
        },
    ),
    "an exception's key is misspelt": (
        replaced(f"{INTEGRATION}/send/attachments.py", '"path_not_allowed"', '"path_forbidden"'),
        {
            "exceptions: path_forbidden has no text",
            "exceptions: path_not_allowed is never raised",
        },
    ),
    "an exception's value is not supplied": (
        written(ENGLISH, "Not from {folder}.", "exceptions", "path_not_allowed", "message"),
        {"exceptions.path_not_allowed: nobody supplies folder"},
    ),
    "a fault of the content has a value that it does not know": (
        written(ENGLISH, "{header} twice", "exceptions", "header_repeated", "message"),
        {"exceptions.header_repeated: nobody supplies header"},
    ),
    "a failure's value is not supplied": (
        written(ENGLISH, "{server} is busy.", "config", "error", "server_busy"),
        {"config.error.server_busy: nobody supplies server"},
    ),
    "a sentence's value is not supplied": (
        written(ENGLISH, "{server}", "selector", "phrase", "options", "remedy_host"),
        {"phrase remedy_host: nobody supplies server"},
    ),
    "a text holds a web address": (
        written(ENGLISH, "See https://example.com.", "title"),
        {"en: title holds a web address"},
    ),
    "a text holds HTML": (
        written(ENGLISH, "<b>Mail</b>", "title"),
        {"en: title holds HTML"},
    ),
    "a text ends with a space": (
        written(ENGLISH, "Mail ", "title"),
        {"en: title begins or ends with a space"},
    ),
    "a language lacks a text": (
        another_language("accounts"),
        {"xx: system_health.info.accounts is missing"},
    ),
    "a language has a text of its own": (
        another_language(mailboxes="Mailboxes"),
        {"xx: system_health.info.mailboxes is too much"},
    ),
    "a language has other values": (
        another_language(accounts="{count} accounts"),
        {"xx: system_health.info.accounts has other values than English"},
    ),
    "a rule of the quality scale has no answer": (
        replaced(f"{INTEGRATION}/quality_scale.yaml", "  brands: done\n", ""),
        {"quality_scale.yaml: brands is missing"},
    ),
    "a rule of the quality scale has no reason": (
        replaced(f"{INTEGRATION}/quality_scale.yaml", "  brands: done\n", "  brands: exempt\n"),
        {"quality_scale.yaml: brands has no reason"},
    ),
}


@pytest.mark.parametrize("breach", BREACHES)
def test_it_is_noticed_when(breach: str, original: Path, before: set[str], tmp_path: Path) -> None:
    change, expected = BREACHES[breach]
    copied(original, tmp_path)

    change(tmp_path)

    assert complaints(tmp_path) - before == expected
