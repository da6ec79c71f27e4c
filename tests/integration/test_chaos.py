"""Random interleavings: whatever happens in whatever order, all comes right once it is quiet.

`make chaos` runs many more of them. RUNS, MINUTES, SEED and RUN say how many, how long, which.
"""

import gc
import os
import time
from pathlib import Path

import pytest

from dev.cluster import ControlPlane
from dev.postgres import Server
from tests.chaos import report
from tests.chaos.logbook import kept
from tests.chaos.many import Task, carry_out
from tests.chaos.pace import quickened
from tests.chaos.run import Outcome
from tests.chaos.stage import Patient, Stage
from tests.chaos.trap import set_traps
from tests.standin.cnpg import StandIn
from tests.support.drilling import checked
from tests.support.schema_runner import running
from tests.support.unmeasured import unmeasured

SECONDS = float(os.environ.get("MINUTES") or 40 / 60) * 60

WITHOUT = frozenset() if os.environ.get("API_SERVER") else frozenset({"restart_api_server"})
"""Left out of `make test`: to come right after that may take longer than this test has."""

TASK = Task(
    runs=int(os.environ.get("RUNS") or 12),
    seconds=SECONDS,
    seed=int(os.environ.get("SEED") or 11),
    without=WITHOUT,
    only=int(os.environ["RUN"]) if os.environ.get("RUN") else None,
)

EVERY = 10
"""Runs between two lines of progress."""


def tell(text: str) -> None:
    print(text, flush=True)  # noqa: T201 - `make chaos` shows it, pytest with a failure only


def progress(outcomes: list[Outcome]) -> None:
    if len(outcomes) % EVERY == 0:
        wrong = sum(bool(outcome.violations) for outcome in outcomes)
        tell(f"{time.strftime('%H:%M:%S')} {len(outcomes)} runs, {wrong} wrong")
    if outcomes[-1].violations:
        tell(report.failure(outcomes[-1], TASK.seed))


@unmeasured
@pytest.mark.timeout(SECONDS + 300)
async def test_all_comes_right_once_it_is_quiet(
    control_plane: ControlPlane,
    operator_kubeconfig: Path,
    standin: StandIn,
    postgres_server: Server,
    template_database: str,
    tmp_path: Path,
) -> None:
    began = time.monotonic()
    async with Patient(control_plane.kubeconfig) as api, running(api) as runner:
        stage = Stage(
            plane=control_plane,
            operator_kubeconfig=operator_kubeconfig,
            standin=standin,
            postgres=postgres_server,
            template=template_database,
            api=api,
            directory=tmp_path,
            runner=runner,
        )
        with kept(), quickened(), set_traps(stage.traps):
            async with checked(api):
                outcomes = await carry_out(stage, TASK, progress)
    gc.collect()
    tell(report.figures(outcomes, time.monotonic() - began, TASK.seed))
    wrong = [outcome.number for outcome in outcomes if outcome.violations]
    if wrong:
        pytest.fail(f"runs {wrong} violate what must hold, see above", pytrace=False)
