"""Two trees side by side: which one an older tree is, and what is called worse."""

from collections.abc import Sequence
from pathlib import Path
import subprocess

import pytest

from tests.bench.compare import THIS, is_worse, table
from tests.bench.figures import Figures, Measurement
from tests.bench.trees import NoTreeError, check_out, last_release

_TIME = Measurement("one cold mail", "ms")
_RATE = Measurement("burst", "mails/s", more_is_better=True)
_OLD = "v1.0.1"


def _cells(measurement: Measurement, before: Sequence[float], now: Sequence[float]) -> list[str]:
    figures = Figures()
    for who, values in ((_OLD, before), (THIS, now)):
        for value in values:
            figures.add(measurement, who, value)
    *_, line = table(figures, _OLD)
    return [cell.strip() for cell in line.strip("|").split("|")]


@pytest.mark.parametrize(
    ("measurement", "before", "now", "is_so"),
    [
        (_TIME, [100, 101, 102], [112, 113, 114], True),
        (_TIME, [100, 101, 102], [108, 109, 110], False),
        (_TIME, [100, 101, 120], [112, 130, 140], False),
        (_TIME, [112, 113, 114], [100, 101, 102], False),
        (_TIME, [0, 0, 0], [1, 1, 2], True),
        (_TIME, [0, 0, 0], [0, 0, 0], False),
        (_RATE, [200, 210, 220], [150, 160, 190], True),
        (_RATE, [200, 210, 220], [195, 198, 199], False),
        (_RATE, [150, 210, 220], [140, 160, 180], False),
        (_RATE, [150, 160, 190], [200, 210, 220], False),
    ],
)
def test_worse_is_what_is_so_by_a_tenth_and_in_every_sample(
    measurement: Measurement, before: list[float], now: list[float], is_so: bool
) -> None:
    assert is_worse(measurement, before, now) is is_so
    assert (_cells(measurement, before, now)[-1] == "**worse**") is is_so


@pytest.mark.parametrize(
    ("measurement", "before", "now", "ratio"),
    [
        (_TIME, [20], [10], "2"),
        (_TIME, [10], [20], "0.50"),
        (_RATE, [100], [250], "2.50"),
        (_RATE, [250], [100], "0.40"),
        (_TIME, [0], [20], ""),
    ],
)
def test_the_ratio_says_how_many_times_better_this_tree_is(
    measurement: Measurement, before: list[float], now: list[float], ratio: str
) -> None:
    assert _cells(measurement, before, now)[4] == ratio


def test_both_medians_stand_there_with_their_spreads() -> None:
    assert _cells(_TIME, [10, 12, 17], [11, 11, 11])[:4] == [
        "one cold mail",
        "ms",
        "12 (10–17)",
        "11",
    ]


def test_what_the_older_tree_cannot_do_is_not_there() -> None:
    assert _cells(_TIME, [], [11, 13])[2:] == ["not there", "12 (11–13)", "", ""]


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A repository with two releases, and a commit after them."""
    root = tmp_path / "project"
    manifest = root / "custom_components" / "email_courier" / "manifest.json"
    manifest.parent.mkdir(parents=True)
    _git(root, "init", "-q")
    for version, owners in (("1.0.0", ""), ("1.0.1", ""), ("1.0.1", '"@ada"')):
        manifest.write_text(f'{{\n  "codeowners": [{owners}],\n  "version": "{version}"\n}}\n')
        _git(root, "add", ".")
        _git(root, "commit", "-q", "-m", f"{version} {owners}")
    return root


def _git(root: Path, *arguments: str) -> str:
    identity = ("-c", "user.name=Ada", "-c", "user.email=ada@example.test")
    command = ("git", "-C", str(root), *identity, *arguments)
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def test_the_last_release_is_the_last_tag(clone: Path) -> None:
    _git(clone, "tag", "v1.0.0", "HEAD~2")
    _git(clone, "tag", "nightly", "HEAD~1")
    assert last_release(clone) == "v1.0.0"


def test_without_a_tag_it_is_the_commit_with_the_last_version(clone: Path) -> None:
    release = last_release(clone)
    assert _git(clone, "log", "-1", "--format=%s", release) == "1.0.1"


def test_the_integration_comes_as_it_was(clone: Path, tmp_path: Path) -> None:
    older = check_out("HEAD~2", tmp_path / "older", clone)
    assert [file.name for file in older.iterdir()] == ["manifest.json"]
    assert '"1.0.0"' in (older / "manifest.json").read_text()
    with pytest.raises(NoTreeError, match="v9"):
        check_out("v9.9.9", tmp_path / "none", clone)


def test_a_clone_that_does_not_go_back_that_far_has_no_release(clone: Path, tmp_path: Path) -> None:
    shallow = tmp_path / "shallow"
    _git(clone, "clone", "-q", "--depth", "1", f"file://{clone}", str(shallow))
    with pytest.raises(NoTreeError, match="does not go back"):
        last_release(shallow)


def test_a_folder_without_git_has_no_release(tmp_path: Path) -> None:
    with pytest.raises(NoTreeError, match="git"):
        last_release(tmp_path)
