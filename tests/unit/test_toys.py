"""The toy kinds are what a kind costs: one file each, and nothing of the engine."""

from pathlib import Path
from typing import Any

import pytest

from daap_operator.api.definition import Definition
from daap_operator.engine.controller import Controller
from tests.toys import task, team

TOYS = Path(task.__file__).parent
LINES = 150
"""What a kind may cost at most, less one."""


def test_each_toy_is_one_file_of_few_lines() -> None:
    files = {path.name: len(path.read_text().splitlines()) for path in TOYS.glob("*.py")}
    assert files.keys() == {"task.py", "team.py"}
    assert {name: count for name, count in files.items() if count >= LINES} == {}


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
    kind = controller.kind
    assert (definition.group, definition.version) == (kind.group, kind.version)
    assert (definition.kind, definition.plural) == (kind.name, kind.plural)
    assert definition.namespaced == kind.namespaced
    assert definition.model.model_fields["status"].annotation is controller.status
