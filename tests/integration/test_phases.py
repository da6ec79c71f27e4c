"""The table of phases, against CloudNativePG's own source: its Go module, downloaded if need be."""

import re
from pathlib import Path

import pytest

from daap_operator.kinds.database.phases import HEALTHY, PHASES
from dev.cluster import cnpg


@pytest.fixture(scope="module")
def source() -> Path:
    return cnpg.source()


def constants(source: Path) -> dict[str, str]:
    """The constants `Phase…` of the Cluster's API."""
    text = (source / "api/v1/cluster_types.go").read_text()
    return dict(re.findall(r'^\t(Phase\w+)\s*=\s*"([^"]*)"', text, re.MULTILINE))


def literals(source: Path) -> set[str]:
    """The phases that the controller writes without a constant."""
    found = set()
    for file in (source / "internal/controller").glob("*.go"):
        calls = re.findall(r'RegisterPhase\(\s*ctx,\s*cluster,\s*"([^"]*)"', file.read_text())
        found |= set(calls)
    return found


def test_every_phase_of_cloudnativepg_is_in_the_table_and_no_other(source: Path) -> None:
    known = set(constants(source).values()) | literals(source) | {""}
    assert set(PHASES) - known == set()
    assert known - set(PHASES) == set()


def test_the_source_was_read(source: Path) -> None:
    assert constants(source)["PhaseHealthy"] == HEALTHY
    assert len(constants(source)) == 22
    assert len(literals(source)) == 2
