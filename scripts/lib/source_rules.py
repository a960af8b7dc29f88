"""Hold the source against the rules that neither ruff nor import-linter can express.

Prints each breach with its place and exits 1 if there is one.
"""

import ast
from collections.abc import Iterator
from pathlib import Path
import re
import subprocess
import sys

ROOT = Path(__file__).resolve().parents[2]
INTEGRATION = "custom_components.email_courier"
MAIL = f"{INTEGRATION}.mail"

# Brackets keep these patterns from matching themselves.
PRIVATE_TEXTS = {
    "the host of a package registry": re.compile(
        r"pypi[.]org|pythonhosted[.]|registry[.]npmjs|registry[.]yarnpkg|deb[.]debian[.]org"
        r"|archive[.]ubuntu[.]com|snapshot[.]debian[.]org|crates[.]io/api|proxy[.]golang",
        re.IGNORECASE,
    ),
    "a path of one machine": re.compile(r"(?<![\w.\-/])/(?:[w]ork|[r]oot|home/\w+|Users/\w+)/"),
}


def tracked_files() -> list[Path]:
    """Return the files that git knows or would add."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    return sorted({path for name in listed.split("\0") if name and (path := ROOT / name).is_file()})


def module_name(path: Path) -> str:
    """Return the dotted name of a source file; a package's is that of its folder."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def absolute_target(node: ast.ImportFrom, path: Path) -> str:
    """Return the dotted name of what a from-import imports from."""
    if not node.level:
        return node.module or ""
    parts = path.relative_to(ROOT).parts[: -node.level]
    return ".".join((*parts, node.module) if node.module else parts)


def is_module(dotted: str) -> bool:
    """Return whether the name is a module, a package or a folder of this project."""
    path = ROOT.joinpath(*dotted.split("."))
    return path.is_dir() or path.with_suffix(".py").is_file()


def imports(path: Path, tree: ast.Module) -> Iterator[tuple[int, str, str | None]]:
    """Yield the line, the module and the name of each import."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name, None
        elif isinstance(node, ast.ImportFrom):
            target = absolute_target(node, path)
            for alias in node.names:
                yield node.lineno, target, alias.name


def import_breaches(path: Path, tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Yield imports from a package's __init__, and those of the mail layer that lead upwards."""
    in_mail = module_name(path).startswith(MAIL)
    for line, module, name in imports(path, tree):
        if not module.startswith(("custom_components", "tests")):
            continue
        package = ROOT.joinpath(*module.split("."))
        if name and package.is_dir() and not is_module(f"{module}.{name}"):
            yield line, f"imports {name} from the package {module} instead of a module"
        if in_mail and not f"{module}.{name or ''}".startswith(f"{MAIL}."):
            yield line, f"the mail layer imports {module}, which is above it"


def package_breaches(path: Path, tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Yield code in a package's __init__; Home Assistant's own entry is the one exception."""
    if path.name != "__init__.py" or module_name(path) == INTEGRATION:
        return
    for node in tree.body:
        if not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)):
            yield node.lineno, "code in a package's __init__"


def text_breaches(text: str) -> Iterator[tuple[int, str]]:
    """Yield lines that name a registry's host or a path of one machine."""
    for number, line in enumerate(text.splitlines(), 1):
        for what, pattern in PRIVATE_TEXTS.items():
            if pattern.search(line):
                yield number, f"names {what}"


def breaches(path: Path) -> Iterator[tuple[int, str]]:
    """Yield every breach in one file."""
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return
    yield from text_breaches(text)
    if path.suffix == ".py":
        tree = ast.parse(text, str(path))
        yield from import_breaches(path, tree)
        yield from package_breaches(path, tree)


def main() -> int:
    """Check every file."""
    found = 0
    for path in tracked_files():
        for line, what in breaches(path):
            found += 1
            print(f"{path.relative_to(ROOT)}:{line}: {what}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
