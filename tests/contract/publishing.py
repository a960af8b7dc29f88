"""What Home Assistant and HACS ask of an integration before they list it."""

import ast
from collections.abc import Iterator
from pathlib import Path
import re

import homeassistant
import yaml

from .project import DOMAIN, Project

_REQUIRED = {
    "codeowners",
    "config_flow",
    "documentation",
    "domain",
    "integration_type",
    "iot_class",
    "issue_tracker",
    "name",
    "requirements",
    "version",
}
_OF_HACS = {
    "content_in_root",
    "country",
    "filename",
    "hacs",
    "hide_default_branch",
    "homeassistant",
    "name",
    "persistent_directory",
    "render_readme",
    "zip_release",
}
_ALWAYS_THERE = {"frontend", "websocket_api"}
"""Home Assistant's own check (hassfest) wants no dependency on these either."""
_VERSION = re.compile(r"\d+\.\d+\.\d+(-[0-9A-Za-z.]+)?")
_PICTURES = {f"{stem}{size}.png" for stem in ("icon", "logo", "dark_logo") for size in ("", "@2x")}


def manifest(project: Project) -> Iterator[str]:
    """manifest.json begins with domain and name, and is sorted from there."""
    keys = list(project.manifest)
    if keys != ["domain", "name", *sorted(keys[2:])]:
        yield "manifest.json: its keys are not sorted"
    yield from (f"manifest.json: {key} is missing" for key in _REQUIRED - set(keys))
    if project.manifest.get("domain") != DOMAIN:
        yield "manifest.json: its domain is not the folder's name"
    if not _VERSION.fullmatch(project.manifest.get("version", "")):
        yield "manifest.json: its version is not a semantic one"
    for key in ("dependencies", "after_dependencies", "requirements"):
        entries = project.manifest.get(key, [])
        if entries != sorted(entries):
            yield f"manifest.json: its {key} are not sorted"


def changelog(project: Project) -> Iterator[str]:
    """The version that is next to be released, or was last, is the first in the changelog."""
    versions = re.findall(
        r"^## (\S+) – \d{4}-\d\d-\d\d$", project.text("CHANGELOG.md"), re.MULTILINE
    )
    if versions[:1] != [project.manifest.get("version")]:
        yield "CHANGELOG.md: it does not begin with the manifest's version"


def dependencies(project: Project) -> Iterator[str]:
    """Every component that is imported is a dependency, or one that there is a platform for."""
    declared = {
        component
        for key in ("dependencies", "after_dependencies")
        for component in project.manifest.get(key, [])
    }
    platforms = {module.removesuffix(".py") for module in project.modules}
    for component in _imported_components(project) - declared - platforms - _ALWAYS_THERE:
        yield f"manifest.json: {component} is imported, but no dependency"


def hacs(project: Project) -> Iterator[str]:
    """hacs.json has the keys that HACS knows, and the release makes the file that it names."""
    settings = yaml.safe_load(project.text("hacs.json"))
    yield from (f"hacs.json: {key} is not known" for key in settings.keys() - _OF_HACS)
    if settings.get("name") != project.manifest["name"]:
        yield "hacs.json: its name is not the manifest's"
    file = settings.get("filename", "")
    if file not in project.text(".github/workflows/release.yml"):
        yield f"hacs.json: no release makes {file}"


def pictures(project: Project) -> Iterator[str]:
    """The icon and the logos are there, in both sizes."""
    found = {path.name for path in (project.integration / "brand").glob("*.png")}
    yield from (f"brand: {name} is missing" for name in _PICTURES - found)


def quality_scale(project: Project) -> Iterator[str]:
    """Every rule of Home Assistant's quality scale has an answer, and what is not done a reason."""
    rules = project.quality_scale
    known = _rules_of_home_assistant()
    yield from (f"quality_scale.yaml: {rule} is missing" for rule in known - rules.keys())
    yield from (f"quality_scale.yaml: {rule} is no rule" for rule in rules.keys() - known)
    for rule, answer in rules.items():
        status = answer if isinstance(answer, str) else answer.get("status")
        if status not in {"done", "exempt", "todo"}:
            yield f"quality_scale.yaml: {rule} has no status"
        if status != "done" and (isinstance(answer, str) or not answer.get("comment")):
            yield f"quality_scale.yaml: {rule} has no reason"


def _imported_components(project: Project) -> set[str]:
    components: set[str] = set()
    for node in project.nodes(ast.ImportFrom):
        match (node.module or "").split("."):
            case ["homeassistant", "components"]:
                components |= {alias.name for alias in node.names}
            case ["homeassistant", "components", component, *_]:
                components.add(component)
    return components


def _rules_of_home_assistant() -> set[str]:
    """Return the rules as an integration that Home Assistant brings along lists them."""
    components = Path(homeassistant.__file__).parent / "components"
    rules = yaml.safe_load((components / "mealie" / "quality_scale.yaml").read_text())["rules"]
    return set(rules)
