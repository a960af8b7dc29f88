"""A version is never offered without what is downloaded for it."""

import json
from pathlib import Path
import re
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]


def _workflow() -> dict[Any, Any]:
    workflow: dict[Any, Any] = yaml.safe_load(
        (ROOT / ".github" / "workflows" / "release.yml").read_text(encoding="utf-8")
    )
    return workflow


def test_a_tag_begins_it_and_no_release_that_is_there_already() -> None:
    triggers = _workflow()[True]  # "on", as YAML 1.1 reads it
    assert triggers.keys() == {"push"}
    assert triggers["push"].keys() == {"tags"}


def test_the_release_is_made_in_one_step_with_the_file_that_is_installed() -> None:
    file = json.loads((ROOT / "hacs.json").read_text(encoding="utf-8"))["filename"]
    (job,) = _workflow()["jobs"].values()
    commands = [step.get("run", "") for step in job["steps"]]
    asking_github = [command for command in commands if "gh " in command]
    assert len(asking_github) == 1
    assert re.search(rf'gh release create "\$TAG" {re.escape(file)} ', asking_github[0])
    built = next(i for i, command in enumerate(commands) if "package.py" in command)
    assert built < commands.index(asking_github[0])
