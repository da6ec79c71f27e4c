"""A step fails or the process crashes, anywhere: the database ends in the same state.

Each write of a pass is a point. All trials are made at the same time, before the first test, and
each test tells of one. Points come and go with the product: what an undisturbed run writes is
compared with the table in `fault_matrix`. `make test` has two faults for each write, `make faults`
has them all.
"""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from daap_operator.engine import kopf_watch
from daap_operator.kinds.backup import controller as backup_controller
from daap_operator.kinds.database import again, allotment, final_backup, verifying
from daap_operator.kinds.drill import controller as drill_controller
from daap_operator.kinds.restore import controller as restore_controller
from daap_operator.kinds.schema import controller as schema_controller
from daap_operator.kube import client
from dev.cluster import ControlPlane
from dev.postgres import Server
from tests.integration import (
    fault_backups,
    fault_drills,
    fault_restores,
    fault_schemas,
    fault_toys,
)
from tests.integration.fault_matrix import CELLS, UNDRIVEN, Cell
from tests.integration.fault_trials import ALL_POINTS, ALL_SCENARIOS, Outcome, What, run_all
from tests.standin.cnpg import StandIn
from tests.support import drills
from tests.support.faults import installed
from tests.support.nightly import nightly
from tests.support.operator import PORTS
from tests.support.unmeasured import unmeasured

STALLED_SECONDS = 2.0
"""Instead of a minute: whatever somebody has to mend is mended by the next try here."""

CONTROLLERS = (
    again,
    backup_controller,
    restore_controller,
    drill_controller,
    schema_controller,
)

LAST_TLS_SECONDS = 1.0
"""With so many operators at the same time the API server closes its side of a socket later."""

pytestmark = [pytest.mark.timeout(1800), unmeasured]

ALL_UNDRIVEN = (
    UNDRIVEN
    | fault_backups.UNDRIVEN
    | fault_restores.UNDRIVEN
    | fault_drills.UNDRIVEN
    | fault_schemas.UNDRIVEN
    | fault_toys.UNDRIVEN
)

Outcomes = dict[What, Outcome]


@pytest.fixture(scope="module")
def outcomes(
    request: pytest.FixtureRequest,
    control_plane: ControlPlane,
    installed_toys: None,
    operator_kubeconfig: Path,
    shared_standin: StandIn,
    postgres_server: Server,
    template_database: str,
) -> Iterator[Outcomes]:
    """The outcomes of all trials that the selected tests tell of."""
    parameters = [i.callspec.params for i in request.session.items if hasattr(i, "callspec")]
    wanted = [given["trial"] for given in parameters if "trial" in given]
    with (
        postgres_server.database(template=template_database) as url,
        pytest.MonkeyPatch.context() as patch,
        installed(),
    ):
        for module in CONTROLLERS:
            patch.setattr(module, "STALLED_SECONDS", STALLED_SECONDS)
        patch.setattr(verifying, "RETRY_SECONDS", STALLED_SECONDS)
        patch.setattr(*drills.PATCHED)
        patch.setattr(allotment, "RETRY_SECONDS", STALLED_SECONDS)
        patch.setattr(final_backup, "REFUSED_SECONDS", STALLED_SECONDS)
        for module in (kopf_watch, client):
            patch.setattr(module, "LAST_TLS_SECONDS", LAST_TLS_SECONDS)
        environment = {
            "KUBECONFIG": str(operator_kubeconfig),
            "DATABASE_URL": url,
            "DB_MIN_CONNS": "1",
            **PORTS,
        }
        yield asyncio.run(run_all(wanted, control_plane, environment))


@pytest.mark.parametrize("trial", ALL_SCENARIOS)
def test_every_write_is_in_the_matrix(trial: str, outcomes: Outcomes) -> None:
    assert not outcomes[trial].failure, outcomes[trial].failure
    made = set(outcomes[trial].made)
    driven = set(ALL_POINTS[trial])
    assert driven <= made
    assert made <= driven | ALL_UNDRIVEN.get(trial, set())


TRIALS = [
    pytest.param(cell, id=str(cell), marks=() if often else nightly("faults"))
    for cell, often in (
        CELLS
        | fault_backups.CELLS
        | fault_restores.CELLS
        | fault_drills.CELLS
        | fault_schemas.CELLS
        | fault_toys.CELLS
    ).items()
]


@pytest.mark.parametrize("trial", TRIALS)
def test_a_step_that_fails_is_made_good(trial: Cell, outcomes: Outcomes) -> None:
    if outcomes[trial].failure:
        pytest.fail(outcomes[trial].failure, pytrace=False)
