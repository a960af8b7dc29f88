"""Prints how many rooms the integration has and how they hang together.

Counts modules, the longest chain of imports, circles, dataclasses, and names that the project
does not use. Exits with 1 where a bound of `pyproject.toml` ([tool.structure]) is passed.
"""

from __future__ import annotations

import ast
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
import sys
import tomllib

import grimp

ROOT = Path(__file__).parents[2]
PACKAGE = "custom_components.email_courier"
SOURCES = ROOT / PACKAGE.replace(".", "/")


def main() -> int:
    """Print the figures; return 1 where one is out of bounds."""
    bounds = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["structure"]
    words: list[str] = bounds.pop("private_words")
    figures = measure(words)
    passed = True
    for name, figure in figures.items():
        bound = bounds[name]
        passed = passed and figure <= bound
        print(f"{name.replace('_', ' '):<28}{figure:>5}  of at most {bound}")
    return 0 if passed else 1


def measure(words: list[str]) -> dict[str, int]:
    """Return each figure by its name in `pyproject.toml`."""
    files = sorted(SOURCES.rglob("*.py"))
    modules = [file for file in files if file.name != "__init__.py" or file.parent == SOURCES]
    imports = _imports()
    return {
        "modules": len(modules),
        "outbox_modules": sum(file.parent.name == "outbox" for file in modules),
        "import_depth": _depth(imports),
        "circles": _circles(imports),
        "dataclasses": sum(map(_dataclasses, files)),
        "private_names": sum(_names(file, set(words)) for file in files),
    }


def _imports() -> dict[str, set[str]]:
    """Return what each module imports of the others, but for types alone."""
    sys.path.insert(0, str(ROOT))
    graph = grimp.build_graph(PACKAGE, exclude_type_checking_imports=True, cache_dir=None)
    return {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}


def _circles(imports: dict[str, set[str]]) -> int:
    try:
        TopologicalSorter(imports).prepare()
    except CycleError:
        return 1
    return 0


def _depth(imports: dict[str, set[str]]) -> int:
    """Return how many modules the longest chain of imports has."""
    if _circles(imports):
        return len(imports)
    depth: dict[str, int] = {}
    for module in TopologicalSorter(imports).static_order():
        depth[module] = 1 + max((depth[other] for other in imports[module]), default=0)
    return max(depth.values())


def _dataclasses(file: Path) -> int:
    tree = ast.parse(file.read_text())
    return sum(
        "dataclass" in ast.unparse(decorator)
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
        for decorator in node.decorator_list
    )


def _names(file: Path, words: set[str]) -> int:
    """Count the names of modules, classes, functions and variables that hold one of the words."""
    found = {file.stem}
    for node in ast.walk(ast.parse(file.read_text())):
        match node:
            case ast.ClassDef(name=name) | ast.FunctionDef(name=name):
                found.add(name)
            case ast.AsyncFunctionDef(name=name) | ast.arg(arg=name) | ast.Attribute(attr=name):
                found.add(name)
            case ast.Name(id=name):
                found.add(name)
    return sum(any(word in name.lower() for word in words) for name in found)


if __name__ == "__main__":
    sys.exit(main())
