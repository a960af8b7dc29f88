"""What is owed to a person whom something went wrong for."""

import ast
from collections import defaultdict
from collections.abc import Iterator
import re

from .project import Project, keys_of, name_of, texts_in
from .texts import values_in

_ROW = re.compile(r"^\| `(\w+)` \|", re.MULTILINE)
_EXCEPTIONS = ("request_error", "action_error")


def surplus(place: str, text: str, values: set[str]) -> Iterator[str]:
    """Complain of the values in a text that it is not given."""
    for value in values_in(text) - values:
        yield f"{place}: nobody supplies {value}"


def failures(project: Project) -> Iterator[str]:
    """Every failure is told of in both dialogs, by actions, and in the documentation."""
    documented = _ROW.findall(project.text("docs/failures.md"))
    places = {
        "config.error": project.english["config"]["error"].keys(),
        "options.error": project.english["options"]["error"].keys(),
        "exceptions": project.english["exceptions"].keys(),
        "docs/failures.md": set(documented),
    }
    for place, keys in places.items():
        yield from (f"{kind} is not in {place}" for kind in project.failures - keys)
    yield from (
        f"docs/failures.md: {key} is no failure" for key in set(documented) - project.failures
    )
    if len(documented) != len(set(documented)):
        yield "docs/failures.md tells of a failure twice"
    for place in ("config", "options"):
        for key in project.english[place]["error"].keys() - project.failures - project.words:
            yield f"{place}.error: {key} is never shown"


def failure_values(project: Project) -> Iterator[str]:
    """The texts of failures name only values that are handed to them."""
    told = _returned(project, "errors.py", "placeholders")
    shown = told | _returned(project, "flow/texts.py", "error_values")
    for kind in project.failures & project.english["exceptions"].keys():
        text = project.english["exceptions"][kind]["message"]
        yield from surplus(f"exceptions.{kind}", text, told | {"account"})
    for place in ("config", "options"):
        texts = project.english[place]["error"]
        for kind in project.failures & texts.keys():
            yield from surplus(f"{place}.error.{kind}", texts[kind], shown)


def exceptions(project: Project) -> Iterator[str]:
    """Every exception has its text, every text its exception, and all values are supplied."""
    texts = project.english["exceptions"]
    raised = _raised(project)
    for key in raised.keys() | project.failures:
        if key not in texts:
            yield f"exceptions: {key} has no text"
    for key in texts.keys() - raised.keys() - project.failures:
        yield f"exceptions: {key} is never raised"
    for key in raised.keys() & texts.keys():
        for values in raised[key]:
            yield from surplus(f"exceptions.{key}", texts[key]["message"], values)


def _returned(project: Project, module: str, function: str) -> set[str]:
    """Return the keys of the dictionaries that a function returns."""
    return {
        key
        for node in project.modules[module].body
        if isinstance(node, ast.FunctionDef) and node.name == function
        for part in ast.walk(node)
        if isinstance(part, ast.Return)
        for key in keys_of(part.value)
    }


def _raised(project: Project) -> dict[str, list[set[str]]]:
    """Return what each place that makes an exception hands to its text."""
    raised: dict[str, list[set[str]]] = defaultdict(list)
    for call in project.calls(*_EXCEPTIONS):
        for key in _texts_behind(project, call.args[0]):
            raised[key].append({keyword.arg for keyword in call.keywords if keyword.arg})
    for call in project.calls("CourierError", "CourierRequestError"):
        wording = call.args[1]
        if isinstance(wording, ast.Lambda):
            for key in _texts_behind(project, call.args[0]):
                raised[key].append(keys_of(wording.body))
    for call in project.nodes(ast.Call):
        keywords = {keyword.arg: keyword.value for keyword in call.keywords}
        if "translation_domain" in keywords and "translation_key" in keywords:
            for key in texts_in(keywords["translation_key"]):
                raised[key].append(keys_of(keywords.get("translation_placeholders")))
    for fault, values in _content_faults(project):
        raised[fault].append({"field", *values})
    return raised


def _texts_behind(project: Project, expression: ast.AST) -> set[str]:
    """Return the texts in an expression, and those of the constants and of the key it names."""
    names = {node.id for node in ast.walk(expression) if isinstance(node, ast.Name)}
    names = {name for name in names if name.isupper() or name == "key"}
    texts = texts_in(expression)
    if not names:
        return {text for text in texts if text.isidentifier()}
    assigned = [(node.targets, node.value) for node in project.nodes(ast.Assign)]
    assigned += [([node.target], node.value) for node in project.nodes(ast.AnnAssign) if node.value]
    for targets, value in assigned:
        if not names.isdisjoint(name_of(target) for target in targets):
            texts |= _texts_behind(project, value)
    return {text for text in texts if text.isidentifier()}


def _content_faults(project: Project) -> Iterator[tuple[str, set[str]]]:
    """Yield what content can be refused for, with the facts that go with it.

    A reason that is handed on to another function takes the facts of those.
    """
    members = project.enum("mail/compose/content.py", "ContentFault")
    named: set[str] = set()
    handed_on: set[str] = set()
    for call in project.calls("ContentError", "AttachmentError"):
        facts = {keyword.arg for keyword in call.keywords if keyword.arg}
        faults = [
            members[node.attr]
            for node in ast.walk(call)
            if isinstance(node, ast.Attribute) and name_of(node.value) == "ContentFault"
        ]
        if not faults:
            handed_on |= facts
        for fault in faults:
            named.add(fault)
            yield fault, facts
    for fault in set(members.values()) - named:
        yield fault, handed_on
