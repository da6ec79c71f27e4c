"""Which faults `make test` injects, and which only `make faults`."""

from collections.abc import Iterable

import pytest

from tests.integration import fault_matrix, fault_toys
from tests.integration.fault_matrix import FAMILIES, Cell, cells
from tests.support.faults import Fault

MATRICES = {"databases": fault_matrix.POINTS, "toys": fault_toys.POINTS}


@pytest.mark.parametrize("points", MATRICES.values(), ids=MATRICES)
def test_a_crash_and_another_fault_befall_each_write_in_make_test(
    points: dict[str, tuple[str, ...]],
) -> None:
    every = cells(points)
    some = [cell for cell, often in every.items() if often]
    assert len(some) < len(every) / 3
    assert len(met(some)) == len(some)
    for scenario, point in {(cell.scenario, cell.point) for cell in every}:
        crash, other = sorted(n for s, p, n in met(some) if (s, p) == (scenario, point))
        assert (crash, other > 0) == (0, True)


def test_each_fault_belongs_to_one_family_and_befalls_a_database_in_make_test() -> None:
    assert sorted(fault.name for family in FAMILIES for fault in family) == sorted(
        fault.name for fault in Fault
    )
    assert {cell.fault for cell, often in fault_matrix.CELLS.items() if often} == set(Fault)


def met(made: Iterable[Cell]) -> set[tuple[str, str, int]]:
    """Scenario, point and the number of the fault's family."""
    return {
        (cell.scenario, cell.point, number)
        for cell in made
        for number, family in enumerate(FAMILIES)
        if cell.fault in family
    }
