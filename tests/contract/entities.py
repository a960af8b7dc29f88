"""What is owed to a person who looks at an account's device, its repairs and its health."""

import ast
from collections.abc import Iterator

from .project import Project, name_of


def entities(project: Project) -> Iterator[str]:
    """Every entity has a name and an icon, and no name or icon is left over."""
    names = project.english["entity"]
    icons = project.icons["entity"]
    nameless = set(_entities(project, named=False))
    inherited = set(_entities(project, named=True))
    for platform, key in sorted(nameless | inherited):
        if (platform, key) in inherited and not names.get(platform, {}).get(key, {}).get("name"):
            yield f"{platform}.{key} has no name"
        if not icons.get(platform, {}).get(key, {}).get("default"):
            yield f"{platform}.{key} has no icon"
    for platform, keys in names.items():
        for key in keys:
            if (platform, key) not in nameless | inherited:
                yield f"{platform}.{key} has a name, but is no entity"
    for platform, keys in icons.items():
        for key in keys:
            if (platform, key) not in nameless | inherited:
                yield f"{platform}.{key} has an icon, but is no entity"


def states(project: Project) -> Iterator[str]:
    """Every cause and every stage can be read on the sensor, and every event on its entity."""
    sensor = project.english["entity"]["sensor"]["last_failure"]
    stages = set(project.enum("mail/failure.py", "Stage").values())
    events = {"delivered", "deferred", "failed", "answered"}
    texts = project.english["entity"]["event"]["mail"]["state_attributes"]["event_type"]["state"]
    icons = project.icons["entity"]["event"]["mail"]["state_attributes"]["event_type"]["state"]
    expected = {
        "sensor.last_failure": (project.failures | {"none"}, sensor["state"]),
        "sensor.last_failure, stage": (stages, sensor["state_attributes"]["stage"]["state"]),
        "event.mail": (events, texts),
        "event.mail, icons": (events, icons),
    }
    for place, (values, words) in expected.items():
        yield from (f"{place}: {value} has no words" for value in values - words.keys())
        yield from (f"{place}: {value} is no state" for value in words.keys() - values)


def issues(project: Project) -> Iterator[str]:
    """Every repair issue has its texts, and a dialog where it can be mended."""
    members = project.enum("issues.py", "Issue")
    fixable = {members[name] for name in _fixable(project.modules["issues.py"])}
    texts = project.english["issues"]
    yield from (f"the issue {key} has no texts" for key in set(members.values()) - texts.keys())
    yield from (f"the issue {key} is never raised" for key in texts.keys() - set(members.values()))
    for key, text in texts.items():
        if ("fix_flow" in text) is not (key in fixable):
            yield f"the issue {key} has the wrong kind of text"


def health(project: Project) -> Iterator[str]:
    """Every figure of the system's health has a name."""
    texts = project.english["system_health"]["info"]
    returned = {
        key.value
        for node in ast.walk(project.modules["system_health.py"])
        if isinstance(node, ast.Return) and isinstance(node.value, ast.Dict)
        for key in node.value.keys
        if isinstance(key, ast.Constant) and isinstance(key.value, str)
    }
    yield from (f"system health: {key} has no name" for key in returned - texts.keys())
    yield from (f"system health: {key} is not shown" for key in texts.keys() - returned)


def _entities(project: Project, *, named: bool) -> Iterator[tuple[str, str]]:
    """Yield platform and key of the entities that take a name from the texts, or of the others."""
    for module, tree in project.modules.items():
        for node in tree.body:
            if not isinstance(node, ast.ClassDef):
                continue
            attributes = {
                name_of(target): statement.value
                for statement in node.body
                if isinstance(statement, ast.Assign)
                for target in statement.targets
            }
            match attributes.get("_attr_translation_key"):
                case ast.Constant(value=str(key)) if ("_attr_name" not in attributes) is named:
                    yield module.removesuffix(".py"), key


def _fixable(tree: ast.Module) -> Iterator[str]:
    """Yield the names of the issues that the table of their kinds calls fixable."""
    for table in ast.walk(tree):
        if not isinstance(table, ast.Dict):
            continue
        for issue, spec in zip(table.keys, table.values, strict=True):
            if isinstance(spec, ast.Call) and any(
                keyword.arg == "is_fixable" for keyword in spec.keywords
            ):
                yield name_of(issue) if issue is not None else ""
