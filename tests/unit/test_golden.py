"""The golden files: what is made of the examples, and what is told in each situation."""

from pathlib import Path

import pytest
import yaml

from tests.unit import golden

EXAMPLES = sorted(golden.EXAMPLES.glob("*.yaml"))


def test_there_are_examples_and_no_golden_file_without_one() -> None:
    assert EXAMPLES
    assert {path.name for path in golden.DIRECTORY.glob("*.yaml")} == {e.name for e in EXAMPLES}


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.stem)
def test_an_examples_children_are_the_committed_ones(example: Path) -> None:
    made = golden.children_of(example.read_text())
    assert (golden.DIRECTORY / example.name).read_text() == made, "run: make golden"


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.stem)
def test_an_examples_children_are_the_same_every_time(example: Path) -> None:
    text = example.read_text()
    made = golden.children_of(text)
    assert made == golden.children_of(text)
    kinds = [child["kind"] for child in yaml.safe_load_all(made)]
    backups = ["ScheduledBackup"] if example.stem in ("backed-up", "copy", "verified") else []
    assert kinds == ["Cluster", "Pooler", *backups, "Secret"]


def test_the_table_of_situations_is_the_committed_one() -> None:
    assert golden.STATUS_TABLE.read_text() == golden.status_table(), "run: make golden"


def test_what_a_drill_makes_is_the_committed() -> None:
    assert golden.DRILL.read_text() == golden.drill(), "run: make golden"


def test_the_golden_files_are_the_ones_that_make_golden_writes() -> None:
    paths = {path for path, _ in golden.generated()}
    assert paths == {path for path in golden.DIRECTORY.iterdir() if path.is_file()}
