"""The toy kinds are what a kind costs: one file each, and nothing of the engine."""

import re
from pathlib import Path
from typing import Any

import pytest

from daap_operator.api.definition import Definition
from daap_operator.engine.controller import Controller
from daap_operator.engine.store import Store
from tests.support.kinds import CUSTOM
from tests.support.toys import WITH_TEAMS
from tests.toys import task, team

TOYS, ROOT = Path(task.__file__).parent, Path(__file__).parents[2]
LINES = 150
"""What a kind may cost at most, less one."""


def test_each_toy_is_one_file_of_few_lines() -> None:
    files = {path.name: len(path.read_text().splitlines()) for path in TOYS.glob("*.py")}
    assert files.keys() == {"task.py", "team.py"}
    assert {name: count for name, count in files.items() if count >= LINES} == {}


def test_the_engine_names_no_custom_kind() -> None:
    name = re.compile(rf"\b({'|'.join(kind.name for kind in CUSTOM)})\b(?!-scoped)")
    engine = (ROOT / "daap_operator" / "engine").glob("*.py")
    assert {path.name: found for path in engine if (found := name.findall(path.read_text()))} == {}


@pytest.mark.parametrize(
    ("definition", "controller"),
    [
        (task.DEFINITION, task.TaskController),
        (team.DEFINITION, team.TeamController),
    ],
)
def test_a_toy_is_defined_as_it_is_served(
    definition: Definition, controller: type[Controller[Any]]
) -> None:
    assert definition.kind is controller.kind
    assert definition.model.model_fields["status"].annotation is controller.status


def test_a_toys_metrics_are_declared() -> None:
    store = Store([watch for kind in WITH_TEAMS for watch in kind.watches])
    reported = team.TeamController().samples(store)
    assert tuple(samples.metric for samples in reported) == team.TeamController.metrics


def test_the_steps_to_a_kind_name_what_there_is() -> None:
    page = (ROOT / "CONTRIBUTING.md").read_text()
    steps = page.partition("## How to add a kind")[2].partition("\n## ")[0]
    paths = set(re.findall(r"`((?:[\w.-]+/)+[\w.-]+)`", steps))
    assert len(paths) > 10
    assert [path for path in paths if not (ROOT / path).exists()] == []
    named = re.findall(r"`(\w+)`\s+in\s+`([\w./-]+\.py)`", steps)
    assert len(named) >= 9
    assert [
        (name, path)
        for name, path in named
        if not re.search(rf"^(async def |def |){name}\b", (ROOT / path).read_text(), re.MULTILINE)
    ] == []
