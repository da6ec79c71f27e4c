"""The trials of the matrix, many at the same time, each with an operator of its own."""

import asyncio
import traceback
import uuid
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial

from daap_operator import names
from daap_operator.kinds.served import KINDS, Kinds
from dev.cluster import ControlPlane
from tests.fix_cluster import remove_namespace
from tests.fix_toys import running_pods
from tests.integration import (
    fault_backups,
    fault_drills,
    fault_restores,
    fault_schemas,
    fault_toys,
)
from tests.integration.fault_matrix import POINTS, Cell
from tests.integration.fault_scenarios import SCENARIOS, SECONDS, Scenario, Trial, serves
from tests.integration.fault_toys import SERVED
from tests.support import toys
from tests.support.api import Api
from tests.support.daapbackups import played
from tests.support.drilling import checked
from tests.support.eventually import eventually
from tests.support.faults import Process
from tests.support.rows import Rows
from tests.support.schema_runner import running
from tests.support.site import Site
from tests.support.toys import WITH_TASKS, WITH_TEAMS

ALL_SCENARIOS = (
    SCENARIOS
    | fault_backups.SCENARIOS
    | fault_restores.SCENARIOS
    | fault_drills.SCENARIOS
    | fault_schemas.SCENARIOS
    | fault_toys.SCENARIOS
)
ALL_POINTS = (
    POINTS
    | fault_backups.POINTS
    | fault_restores.POINTS
    | fault_drills.POINTS
    | fault_schemas.POINTS
    | fault_toys.POINTS
)

SITES = {KINDS: 12, WITH_TASKS: 6, WITH_TEAMS: 1}
"""Trials at the same time, by the kinds that their operators serve. Teams are in no namespace: the
operators of two sites would both serve them."""

USER = "toys-of-trials"
"""The operator's user at sites that serve toys."""

What = Cell | str
"""A cell of the matrix; or a scenario's name, for the scenario undisturbed."""


@dataclass
class Outcome:
    """What became of a trial."""

    made: list[str] = field(default_factory=list)
    """What the process wrote that the scenario began with."""
    failure: str = ""


async def run_all(
    wanted: list[What], plane: ControlPlane, environment: Mapping[str, str]
) -> dict[What, Outcome]:
    """Make all trials."""
    outcomes: dict[What, Outcome] = {}
    as_toys = {**environment, "KUBECONFIG": str(plane.user_kubeconfig(USER))}
    async with (
        Api(plane.kubeconfig) as api,
        running_pods(api),
        played(api),
        checked(api),
        running(api),
    ):
        await toys.add_table(Rows(environment["DATABASE_URL"]))
        await toys.grant(api, USER, toys.WITH_TOYS)
        async with asyncio.TaskGroup() as sites:
            for kinds, most in SITES.items():
                left = [what for what in reversed(wanted) if _kinds(what) == kinds]
                for _ in range(min(most, len(left))):
                    place = partial(Site, api, Rows(environment["DATABASE_URL"]), environment)
                    if kinds != KINDS:
                        place = partial(
                            Site, api, Rows(environment["DATABASE_URL"]), as_toys, user=USER
                        )
                    sites.create_task(_run_some(left, outcomes, partial(place, kinds=kinds)))
        await toys.revoke(api, USER)
    return outcomes


def _kinds(what: What) -> Kinds:
    """The kinds that an operator has to serve for a trial."""
    return SERVED.get(_scenario(what), KINDS)


def _scenario(what: What) -> str:
    return what.scenario if isinstance(what, Cell) else what


async def _run_some(
    left: list[What], outcomes: dict[What, Outcome], place: Callable[[], Site]
) -> None:
    """Make one trial after the other at one site; at another one after a failure."""
    while left:
        site = place()
        await site.open()
        try:
            await site.start()
            while left:
                what = left.pop()
                outcomes[what] = await _outcome(site, what)
                if outcomes[what].failure:
                    break
        finally:
            with suppress(Exception):  # what it died of has been told
                await site.crash()
            await remove_namespace(site.api, site.namespace)


async def _outcome(site: Site, what: What) -> Outcome:
    """Make one trial; after a failure the process is ended."""
    found = Outcome()
    try:
        try:
            await _run(Trial(site, f"trial-{uuid.uuid4().hex[:6]}x"), what, found)
        except BaseException:
            await site.crash()
            raise
        assert site.alive, "the operator has stopped"
    except Exception:  # noqa: BLE001 - whatever it was, the test of this trial tells of it
        made = "\n  ".join(found.made)
        found.failure = f"{what}\n\n{traceback.format_exc()}\nWritten until then:\n  {made}"
    return found


async def _run(trial: Trial, what: What, found: Outcome) -> None:
    name = _scenario(what)
    scenario = ALL_SCENARIOS[name]
    if scenario.of_ready:
        await _make_ready(trial, scenario)
    before = await _clusters(trial.site)
    process = await _disturbed(trial, scenario, what, found)
    if isinstance(what, Cell):
        await _strike(trial.site, process, what)
    await scenario.ended(trial)
    after = await _clusters(trial.site)
    kept = scenario.loses or before == after
    assert kept or not (before and after), "the Cluster was made again, without its data"
    if what == name:
        await eventually(  # Events come in the background
            process.writes, lambda made: set(ALL_POINTS[name]) <= set(made), seconds=SECONDS
        )
    process.made = []
    if scenario.clear:
        await scenario.clear(trial)


async def _make_ready(trial: Trial, scenario: Scenario) -> None:
    process = trial.site.process
    process.made = []
    if scenario.make:
        await scenario.make(trial)
    else:
        await trial.site.databases.create(trial.name)
        await serves(trial)
    await eventually(  # in the background: of Provisioning and of Ready, say
        process.writes,
        lambda made: made.count("create events") >= scenario.events,
        seconds=SECONDS,
    )


async def _clusters(site: Site) -> set[str]:
    """Those of databases: the scratch ones of drills come and go."""
    found = await site.api.list("clusters", site.namespace)
    labels = [obj["metadata"].get("labels") or {} for obj in found]
    ours = zip(found, labels, strict=True)
    return {obj["metadata"]["uid"] for obj, of in ours if names.DRILL_LABEL not in of}


async def _disturbed(trial: Trial, scenario: Scenario, what: What, found: Outcome) -> Process:
    """Ask for what the scenario is about; the process that meets the fault."""
    site = trial.site
    process = Process() if scenario.offline else site.process
    process.made = found.made
    if isinstance(what, Cell):
        process.arm(what.point, what.fault)
    if scenario.offline:
        await site.crash()
    await scenario.act(trial)
    if scenario.offline:
        await site.begin(process)
    return process


async def _strike(site: Site, process: Process, cell: Cell) -> None:
    """Wait for the fault; after a crash another process begins."""
    with suppress(TimeoutError):
        async with asyncio.timeout(SECONDS):
            await process.struck.wait()
    assert process.struck.is_set(), f"'{cell.point}' was never written"
    if cell.fault.crash:
        await site.crash()
        await site.start()
