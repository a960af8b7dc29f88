"""What the integration itself says, in whole sentences."""

import ast
from collections.abc import Iterator

from .failures import surplus
from .project import Project, texts_in

_FAMILIES = {
    "origin_": ("mail/discovery/model.py", "Origin"),
    "hint_": ("mail/discovery/model.py", "Hint"),
    "arrival_": ("mail/arrival/judge.py", "Concern"),
    "encryption_": ("mail/settings.py", "Encryption"),
}


def phrases(project: Project) -> Iterator[str]:
    """Every sentence that is said is written, and every written one is said with its values."""
    texts = project.english["selector"]["phrase"]["options"]
    for call in project.calls("say"):
        values = {keyword.arg for keyword in call.keywords}
        for name in texts_in(call.args[0]) if isinstance(call.args[0], ast.Constant) else ():
            if name not in texts:
                yield f"the phrase {name} is not written"
            elif None not in values:
                yield from surplus(f"phrase {name}", texts[name], {v for v in values if v})
    families = tuple(
        part.value
        for node in project.nodes(ast.JoinedStr)
        for part in node.values[:1]
        if isinstance(part, ast.Constant) and isinstance(part.value, str) and "_" in part.value
    )
    for name in texts.keys() - project.words:
        if not name.startswith(families):
            yield f"the phrase {name} is never said"
    for prefix, enum in _FAMILIES.items():
        for value in project.enum(*enum).values():
            if f"{prefix}{value}" not in texts:
                yield f"the phrase {prefix}{value} is not written"
