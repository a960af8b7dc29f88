"""What Home Assistant asks of every text, and what the languages owe one another."""

import ast
from collections.abc import Iterator, Mapping
import re
from string import Formatter
from typing import Any

from .project import Project

_TAG = re.compile(r"<\s*/?\s*[a-z][^>]*>", re.IGNORECASE)
_QUOTED_VALUE = re.compile(r"'\{\w+\}'")
_WEB_ADDRESS = re.compile(r"(?:(?:https?|ftps?|mqtts?)://|www\.)[a-z0-9]", re.IGNORECASE)


def leaves(tree: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, str]]:
    """Yield each text with its dotted path."""
    for key, value in tree.items():
        place = f"{path}.{key}" if path else key
        if isinstance(value, dict):
            yield from leaves(value, place)
        else:
            yield place, value


def values_in(text: str) -> set[str]:
    """Return the names in braces. Raises ValueError where a brace has no partner."""
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


def wording(project: Project) -> Iterator[str]:
    """A text is plain, trimmed, and holds no address of the web: those are handed in."""
    for language, texts in project.languages.items():
        for path, text in leaves(texts):
            place = f"{language}: {path}"
            if not text.strip():
                yield f"{place} is empty"
            if text != text.strip():
                yield f"{place} begins or ends with a space"
            if _TAG.search(text):
                yield f"{place} holds HTML"
            if _WEB_ADDRESS.search(text):
                yield f"{place} holds a web address"
            if _QUOTED_VALUE.search(text):
                yield f"{place} has a value in single quotes"
            if not all(name.isidentifier() for name in values_in(text)):
                yield f"{place} has a value without a name"


def languages(project: Project) -> Iterator[str]:
    """All languages have the same texts, with the same values in them."""
    english = dict(leaves(project.english))
    for language, texts in project.languages.items():
        theirs = dict(leaves(texts))
        yield from (f"{language}: {path} is missing" for path in english.keys() - theirs.keys())
        yield from (f"{language}: {path} is too much" for path in theirs.keys() - english.keys())
        for path in english.keys() & theirs.keys():
            if values_in(english[path]) != values_in(theirs[path]):
                yield f"{language}: {path} has other values than English"


def pages(project: Project) -> Iterator[str]:
    """Every page with texts is one that the dialogs know, and describes only its own fields."""
    known = project.words | _steps(project)
    for dialog, page, texts in _pages(project.english):
        if page not in known:
            yield f"{dialog}: the page {page} is not in the source"
        for part in (texts, *texts.get("sections", {}).values()):
            for field in part.get("data_description", {}).keys() - part.get("data", {}).keys():
                yield f"{dialog}: {page} describes {field}, which has no name"
            for field in part.get("data", {}).keys() - known:
                yield f"{dialog}: {page} names {field}, which is not in the source"


def _pages(english: Mapping[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    dialogs = {
        "config": english["config"],
        "options": english["options"],
        **english["config_subentries"],
        **{
            key: issue["fix_flow"]
            for key, issue in english["issues"].items()
            if "fix_flow" in issue
        },
    }
    for name, dialog in dialogs.items():
        for page, texts in dialog["step"].items():
            yield name, page, texts


def _steps(project: Project) -> set[str]:
    """Return the pages that a dialog has a method for."""
    names = {node.name for node in project.nodes(ast.AsyncFunctionDef)}
    names |= {node.id for node in project.nodes(ast.Name)}
    steps = {name.removeprefix("async_step_") for name in names if name.startswith("async_step_")}
    # the one page of Home Assistant's own dialog
    return steps | ({"confirm"} if "ConfirmRepairFlow" in names else set())
