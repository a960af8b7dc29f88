"""What is owed to a person who looks for an action and its fields."""

import ast
from collections.abc import Iterator
import re
from typing import Any

from .project import DOMAIN, Project


def actions(project: Project) -> Iterator[str]:
    """Every action has a name, a description and an icon, is registered, and is documented."""
    texts = project.english["services"]
    icons = project.icons["services"]
    page = project.text("docs/actions.md")
    registered = _registered(project)
    for name in project.services.keys() | texts.keys() | icons.keys() | registered:
        if name not in project.services:
            yield f"{name} is not in services.yaml"
        if name not in registered:
            yield f"{name} is not registered"
        if not _is_described(texts.get(name)):
            yield f"{name} has no name or no description"
        if not icons.get(name, {}).get("service"):
            yield f"{name} has no icon"
        if f"`{DOMAIN}.{name}`" not in page:
            yield f"{name} is not in docs/actions.md"


def fields(project: Project) -> Iterator[str]:
    """Every field has a name, a description, a selector, and a place in the documentation."""
    page = set(re.findall(r"`(\w+)`", project.text("docs/actions.md")))
    for action, definition in project.services.items():
        named = project.english["services"].get(action, {}).get("fields", {})
        _, plain = _sorted_fields(definition.get("fields", {}))
        for field in plain.keys() | named.keys():
            place = f"{action}.{field}"
            if field not in plain:
                yield f"{place} is not in services.yaml"
            elif "selector" not in plain[field]:
                yield f"{place} has no selector"
            if not _is_described(named.get(field)):
                yield f"{place} has no name or no description"
            if field not in page:
                yield f"{place} is not in docs/actions.md"
            if field not in project.words:
                yield f"{place} is not in the source"


def sections(project: Project) -> Iterator[str]:
    """Every section of an action's form has a name, a description and an icon."""
    for action, definition in project.services.items():
        used, _ = _sorted_fields(definition.get("fields", {}))
        texts = project.english["services"].get(action, {}).get("sections", {})
        icons = project.icons["services"].get(action, {}).get("sections", {})
        for section in used | texts.keys() | icons.keys():
            if section not in used:
                yield f"{action}: the section {section} is not in services.yaml"
            if not _is_described(texts.get(section)):
                yield f"{action}: the section {section} has no name or no description"
            if section not in icons:
                yield f"{action}: the section {section} has no icon"


def selectors(project: Project) -> Iterator[str]:
    """Every choice in a form has its words, and every word its choice."""
    texts = project.english["selector"]
    used = {"phrase"}
    for definition in project.services.values():
        fields = _sorted_fields(definition.get("fields", {}))[1]
        for field, kind, selector in _with_words(fields):
            key = selector["translation_key"]
            used.add(key)
            words = texts.get(key, {}).get("options" if kind == "select" else "fields", {})
            choices = selector["options"] if kind == "select" else selector["fields"]
            yield from (f"{field}: {choice} has no words" for choice in set(choices) - set(words))
            yield from (f"{field}: {choice} is no choice" for choice in set(words) - set(choices))
    for call in project.calls("SelectSelectorConfig"):
        used |= {
            keyword.value.value
            for keyword in call.keywords
            if keyword.arg == "translation_key"
            and isinstance(keyword.value, ast.Constant)
            and isinstance(keyword.value.value, str)
        }
    yield from (f"the selector {key} has no words" for key in used - texts.keys())
    yield from (f"the selector {key} is in no form" for key in texts.keys() - used)


def _with_words(fields: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield what has words for its choices, also within the fields of an object."""
    for field, settings in fields.items():
        ((kind, selector),) = settings.get("selector", {"": None}).items()
        if not selector:
            continue
        if "translation_key" in selector:
            yield field, kind, selector
        if kind == "object":
            yield from _with_words(selector.get("fields", {}))


def _is_described(texts: dict[str, Any] | None) -> bool:
    return bool(texts and texts.get("name") and texts.get("description"))


def _sorted_fields(fields: dict[str, Any]) -> tuple[set[str], dict[str, Any]]:
    """Return the sections, and all fields whether in a section or not."""
    sections = {name for name, settings in fields.items() if "fields" in settings}
    plain = {name: settings for name, settings in fields.items() if name not in sections}
    for section in sections:
        plain |= fields[section]["fields"]
    return sections, plain


def _registered(project: Project) -> set[str]:
    """Return the actions that the source gives a name to."""
    named: set[str] = set()
    for tree in project.modules.values():
        for node in tree.body:
            match node:
                case (
                    ast.Assign(targets=[ast.Name(id=name)], value=ast.Constant(value=str(text)))
                    | ast.AnnAssign(target=ast.Name(id=name), value=ast.Constant(value=str(text)))
                ) if name.startswith("SERVICE_"):
                    named.add(text)
    return named
