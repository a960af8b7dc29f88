"""Mutates modules of the mail layer with mutmut and prints what its tests let pass.

Run by `scripts/mutation`. Each suite is a set of modules with the tests that are about them; its
work happens in a copy of the project, so that the work tree stays as it is.
"""

import argparse
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
import json
import os
from pathlib import Path
import shutil
import subprocess
import sys

ROOT = Path(__file__).resolve().parents[2]
MAIL = Path("custom_components/email_courier/mail")
TESTS = Path("tests/mail")

MUTMUT = str(Path(sys.executable).with_name("mutmut"))
STATUSES = {0: "survived", 1: "killed", 3: "killed", 33: "no tests"}
"""What the exit codes in mutmut's records mean; anything else ran out of time."""
CAUGHT = ("killed", "timeout")
"""A mutant that hangs is noticed too."""


@dataclass(frozen=True, slots=True)
class Suite:
    """Modules to mutate and the tests that have to notice.

    modules, tests: patterns of files below the mail layer and below its tests.
    without: tests that are too slow to be run for every mutant, or that measure time.
    """

    name: str
    modules: tuple[str, ...]
    tests: tuple[str, ...]
    without: tuple[str, ...] = ()

    def sources(self) -> list[Path]:
        """Return the modules, from the project's root."""
        return _found(MAIL, self.modules)

    def test_files(self) -> list[Path]:
        """Return the files of tests, from the project's root."""
        return _found(TESTS, self.tests)


SUITES = (
    Suite(
        "session",
        (
            "failure.py",
            "smtp/connection.py",
            "smtp/keepalive.py",
            "smtp/protocol.py",
            "smtp/session.py",
            "smtp/transaction.py",
        ),
        ("test_failure.py", "smtp/test_[!et]*.py"),
        ("(deadline and tls)", "slow_line", "arrives_later"),
    ),
    Suite(
        "outbox",
        ("outbox/*.py",),
        ("outbox/test_[!ks]*.py", "outbox/test_s[!m]*.py"),
        ("eager", "thousand", "test_uploads", "share_their_disk_jobs"),
    ),
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Mutate what was asked for. Returns the program's exit status."""
    parser = argparse.ArgumentParser(prog="scripts/mutation")
    parser.add_argument("--work", type=Path, required=True, help=argparse.SUPPRESS)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--again", action="store_true")
    parser.add_argument("paths", nargs="*", type=Path)
    options = parser.parse_args(arguments)
    chosen = [path.resolve().relative_to(ROOT) for path in options.paths]
    found: dict[str, str] = {}
    for suite in SUITES:
        sources = [path for path in suite.sources() if not chosen or _is_in(path, chosen)]
        if sources:
            folder = options.work / suite.name
            earlier = _caught_earlier(folder) if options.again else {}
            _prepare(folder, suite, sources)
            for path, record in earlier.items():
                (folder / path).parent.mkdir(parents=True, exist_ok=True)
                (folder / path).write_text(record, "utf-8")
            _mutate(folder, options.workers)
            found |= _verdicts(folder)
            _show_survivors(folder)
    if not found:
        print("Nothing of what is mutated was named.", file=sys.stderr)
        return 2
    _print_score(found)
    return 0


def _found(folder: Path, patterns: Iterable[str]) -> list[Path]:
    found = {path for pattern in patterns for path in (ROOT / folder).glob(pattern)}
    return sorted(path.relative_to(ROOT) for path in found if path.name != "__init__.py")


def _is_in(path: Path, chosen: list[Path]) -> bool:
    return any(path == one or one in path.parents for one in chosen)


def _prepare(folder: Path, suite: Suite, sources: list[Path]) -> None:
    """Copy the project, with the settings and the list of modules that the suite needs."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name in ("custom_components", "tests"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    tests = [str(path) for path in suite.test_files()]
    selection = [*tests, "-k", " and ".join(f"not {word}" for word in suite.without)]
    settings = (ROOT / "pyproject.toml").read_text("utf-8")
    head = "[tool.mutmut]\n"
    own = (
        f"only_mutate = {json.dumps([str(path) for path in sources])}\n"
        f"pytest_add_cli_args_test_selection = {json.dumps(selection)}\n"
    )
    (folder / "pyproject.toml").write_text(settings.replace(head, head + own), "utf-8")
    # What every run would import is imported once; the conftest comes before any test.
    modules = ["pdb", "pytest_asyncio.plugin", "pytest_timeout", "quick_first"]
    modules += ["tests.mail.conftest"]
    modules += [path.removesuffix(".py").replace("/", ".") for path in tests]
    (folder / "preload.txt").write_text("\n".join(modules), "utf-8")


def _caught_earlier(folder: Path) -> dict[Path, str]:
    """Return mutmut's records of the last run by their paths, without what no test had noticed.

    mutmut keeps what it finds in them of functions that have not changed.
    """
    found: dict[Path, str] = {}
    for path in (folder / "mutants").rglob("*.meta"):
        record = json.loads(path.read_text("utf-8"))
        codes: dict[str, int | None] = record["exit_code_by_key"]
        record["exit_code_by_key"] = {
            name: code if _status(code) in CAUGHT else None for name, code in codes.items()
        }
        found[path.relative_to(folder)] = json.dumps(record)
    return found


def _mutate(folder: Path, workers: int) -> None:
    """Run mutmut; its progress is a line that it draws anew, so it goes into a file."""
    log = folder / "mutmut.log"
    print(f"==> Mutating the {folder.name} (progress: {log})", file=sys.stderr)
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parent)}
    with log.open("w") as output:
        command = [MUTMUT, "run", "--max-children", str(workers)]
        ended = subprocess.run(
            command,
            cwd=folder,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
            check=False,
        )
    if ended.returncode:
        print(log.read_text("utf-8").replace("\r", "\n")[-4000:], file=sys.stderr)
        raise SystemExit(f"mutmut has failed ({ended.returncode}): {log}")


def _verdicts(folder: Path) -> dict[str, str]:
    """Return the status of each mutant by its name."""
    found: dict[str, str] = {}
    for record in (folder / "mutants").rglob("*.meta"):
        codes: dict[str, int | None] = json.loads(record.read_text("utf-8"))["exit_code_by_key"]
        found |= {name: _status(code) for name, code in codes.items()}
    return found


def _status(code: int | None) -> str:
    return "not run" if code is None else STATUSES.get(code, "timeout")


def _show_survivors(folder: Path) -> None:
    for name, status in sorted(_verdicts(folder).items()):
        if status not in CAUGHT:
            subprocess.run([MUTMUT, "show", name], cwd=folder, check=True)


def _print_score(found: dict[str, str]) -> None:
    by_module: dict[str, Counter[str]] = {}
    for name, status in found.items():
        module = name.rpartition(".")[0].removeprefix(str(MAIL).replace("/", ".") + ".")
        by_module.setdefault(module, Counter())[status] += 1
    total: Counter[str] = Counter()
    print(
        f"{'module':<24} {'score':>7} {'mutants':>8} {'survived':>9} {'no tests':>9} {'timeout':>8}"
    )
    for module, counts in sorted(by_module.items()):
        _print_row(module, counts)
        total += counts
    _print_row("all", total)


def _print_row(name: str, counts: Counter[str]) -> None:
    caught = sum(counts[status] for status in CAUGHT)
    print(
        f"{name:<24} {caught / counts.total():>7.1%} {counts.total():>8} {counts['survived']:>9}"
        f" {counts['no tests']:>9} {counts['timeout']:>8}"
    )


if __name__ == "__main__":
    sys.exit(main())
