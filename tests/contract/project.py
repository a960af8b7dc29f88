"""The files of a project, read but not imported, so that a copy can be checked as well."""

import ast
from collections.abc import Iterator
from functools import cached_property, lru_cache
import json
from pathlib import Path
from typing import Any

from homeassistant import const
import yaml

DOMAIN = "email_courier"


class Project:
    """A tree that looks like this repository's."""

    def __init__(self, root: Path) -> None:
        """Read the tree below a folder, each file when it is asked for."""
        self.root = root
        self.integration = root / "custom_components" / DOMAIN

    @cached_property
    def manifest(self) -> dict[str, Any]:
        """manifest.json, its keys in the order of the file."""
        return self.json("manifest.json")

    @cached_property
    def icons(self) -> dict[str, Any]:
        """icons.json."""
        return self.json("icons.json")

    @cached_property
    def english(self) -> dict[str, Any]:
        """The texts that all other languages are held against."""
        return self.json("translations/en.json")

    @cached_property
    def languages(self) -> dict[str, dict[str, Any]]:
        """The texts by language."""
        folder = self.integration / "translations"
        return {path.stem: self.json(f"translations/{path.name}") for path in folder.glob("*.json")}

    @cached_property
    def services(self) -> dict[str, dict[str, Any]]:
        """services.yaml."""
        return self.yaml("services.yaml")

    @cached_property
    def quality_scale(self) -> dict[str, Any]:
        """The rules of quality_scale.yaml."""
        rules: dict[str, Any] = self.yaml("quality_scale.yaml")["rules"]
        return rules

    @cached_property
    def modules(self) -> dict[str, ast.Module]:
        """The integration's source by its path inside the integration."""
        return {
            path.relative_to(self.integration).as_posix(): _parsed(path.read_text())
            for path in sorted(self.integration.rglob("*.py"))
        }

    def json(self, name: str) -> dict[str, Any]:
        """Read one of the integration's files."""
        data: dict[str, Any] = json.loads((self.integration / name).read_text())
        return data

    def yaml(self, name: str) -> dict[str, Any]:
        """Read one of the integration's files."""
        data: dict[str, Any] = yaml.safe_load((self.integration / name).read_text())
        return data

    def text(self, name: str) -> str:
        """Read one of the project's files."""
        return (self.root / name).read_text()

    def nodes[N: ast.AST](self, kind: type[N]) -> Iterator[N]:
        """Yield what is of exactly one kind anywhere in the integration."""
        for module in self.modules.values():
            for node in _nodes_of(module).get(kind, ()):
                if isinstance(node, kind):
                    yield node

    def calls(self, *names: str) -> Iterator[ast.Call]:
        """Yield the calls of what has one of these names, dotted or not."""
        for call in self.nodes(ast.Call):
            if name_of(call.func) in names:
                yield call

    def enum(self, module: str, name: str) -> dict[str, str]:
        """Return the members of an enumeration of texts, name to value."""
        for node in self.modules[module].body:
            if isinstance(node, ast.ClassDef) and node.name == name:
                return {
                    target.id: statement.value.value
                    for statement in node.body
                    if isinstance(statement, ast.Assign)
                    for target in statement.targets
                    if isinstance(target, ast.Name)
                    and isinstance(statement.value, ast.Constant)
                    and isinstance(statement.value.value, str)
                }
        raise LookupError(name)

    @cached_property
    def failures(self) -> set[str]:
        """What can go wrong with an account."""
        return set(self.enum("mail/failure.py", "FailureKind").values())

    @cached_property
    def words(self) -> set[str]:
        """Every text in the integration's source, or taken from Home Assistant's constants."""
        written = {node.value for node in self.nodes(ast.Constant) if isinstance(node.value, str)}
        return written | {
            str(getattr(const, alias.name))
            for node in self.nodes(ast.ImportFrom)
            if node.module == const.__name__
            for alias in node.names
        }


@lru_cache(maxsize=1024)
def _parsed(source: str) -> ast.Module:
    """Parse a file once, however many copies of the project hold it."""
    return ast.parse(source)


@lru_cache(maxsize=1024)
def _nodes_of(tree: ast.Module) -> dict[type[ast.AST], list[ast.AST]]:
    """Return what is in a file by its kind."""
    nodes: dict[type[ast.AST], list[ast.AST]] = {}
    for node in ast.walk(tree):
        nodes.setdefault(type(node), []).append(node)
    return nodes


def name_of(node: ast.expr) -> str:
    """Return the last part of a name, dotted or not."""
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return ""


def texts_in(node: ast.AST) -> set[str]:
    """Return the texts that stand in an expression, but for the keys of a dictionary."""
    keys = {key for part in ast.walk(node) if isinstance(part, ast.Dict) for key in part.keys}
    return {
        part.value
        for part in ast.walk(node)
        if isinstance(part, ast.Constant) and isinstance(part.value, str) and part not in keys
    }


def keys_of(node: ast.AST | None) -> set[str]:
    """Return the texts that are keys of a written-out dictionary."""
    if not isinstance(node, ast.Dict):
        return set()
    return {
        key.value
        for key in node.keys
        if isinstance(key, ast.Constant) and isinstance(key.value, str)
    }
