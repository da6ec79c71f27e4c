"""One run: a plan carried out, the quiet in it, and the end of everything."""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field

from tests.chaos import schemas_kept
from tests.chaos.authors import Authors
from tests.chaos.invariants import holders, violations
from tests.chaos.keepers import Keepers
from tests.chaos.lives import Lives
from tests.chaos.logbook import new_page, watches
from tests.chaos.people import People, Refused
from tests.chaos.plan import Plan, Slot, Step, has_drills, has_schemas
from tests.chaos.seen import Seen, listed, moves, see
from tests.chaos.stage import Stage
from tests.chaos.world import World

QUIET_SECONDS = 90.0
"""So long everything may take to come right; some seconds are usual, also the back-off counts."""

LOOK_SECONDS = 0.3

GLANCES = 3
"""So often at most the databases alone are looked at before everything is: that takes the API
server two requests in place of up to twenty-six."""


@dataclass
class Outcome:
    """What a run came to."""

    number: int
    seconds: float = 0.0
    steps: Counter[str] = field(default_factory=Counter)
    refused: int = 0
    quiets: list[float] = field(default_factory=list)
    """How long each quiet took, in seconds."""
    violations: list[str] = field(default_factory=list)
    story: list[str] = field(default_factory=list)
    """What happened when, for people."""


class Run:
    """Carries out a plan in a world of its own."""

    def __init__(self, stage: Stage, number: int, plan: Plan) -> None:
        self._stage = stage
        self._plan = plan
        self._drilled, self._schemas = has_drills(plan), has_schemas(plan)
        self.outcome = Outcome(number)
        self._lives = Lives()
        self._world = World(stage)
        self._lives.namespaces = self._world.namespaces
        self._people = People(stage, self._world.namespaces, self._lives)
        self._keepers = Keepers(stage, self._world.namespaces, self._lives, self._people)
        self._authors = Authors(stage, self._world.namespaces)
        self._background: list[asyncio.Task[None]] = []

    async def carry_out(self) -> Outcome:
        """From the beginning to the end; whatever goes wrong is in the outcome."""
        self._began = time.monotonic()
        page = new_page()
        try:
            async with self._world:
                await self._supply()
                for step in self._plan:
                    await self._take(step)
                await self.quiet()
                await self._take(Step("delete_all"))
                await self.quiet()
        except Exception as error:  # noqa: BLE001 - a crash is a violation like any other
            self._tell(repr(error))
            self.outcome.violations.append(f"{type(error).__name__}: {error}")
        if self.outcome.violations:
            self.outcome.story += ["what the last operators said:", *page]
            self.outcome.story += ["what the watches of all runs said:", *list(watches)[-40:]]
        self.outcome.seconds = time.monotonic() - self._began
        return self.outcome

    async def _take(self, step: Step) -> None:
        self.outcome.steps[step.kind] += 1
        self._tell(str(step))
        try:
            await self._doing(step.kind)(**step.arguments)
        except Refused:
            self.outcome.refused += 1
            self._tell("  refused")
        # Not a wait for anything: how the steps lie to each other is what is being tried
        await asyncio.sleep(step.pause)

    def _doing(self, kind: str) -> Callable[..., Awaitable[None]]:
        for actor in (self._people, self._keepers, self._authors, self._world, self):
            if found := getattr(actor, kind, None):
                doing: Callable[..., Awaitable[None]] = found
                return doing
        raise ValueError(f"nobody can do '{kind}'")

    def _tell(self, what: str) -> None:
        self.outcome.story.append(f"{time.monotonic() - self._began:7.3f}  {what}")

    # CloudNativePG and the API server -------------------------------------------------------------

    def _place(self, slot: Slot) -> tuple[str, str]:
        return self._world.namespaces[slot.side], f"daap-{slot.name}"

    async def sleep(self) -> None:
        """CloudNativePG is down."""
        for namespace in self._world.namespaces:
            self._stage.standin.sleep(namespace)

    async def wake(self) -> None:
        """CloudNativePG works again."""
        for namespace in self._world.namespaces:
            self._stage.standin.wake(namespace)

    async def phase(self, slot: Slot, phase: str) -> None:
        """CloudNativePG says something else of a Cluster, and goes on saying it."""
        namespace, cluster = self._place(slot)
        if await self._stage.api.get("clusters", namespace, cluster) is None:
            raise Refused
        self._stage.standin.take_over(namespace, cluster)
        status = {"phase": phase, "phaseReason": "Because", "instancesStatus": {"healthy": None}}
        with suppress(Exception):  # gone meanwhile
            await self._stage.api.patch(
                "clusters", namespace, cluster, {"status": status}, "status"
            )

    async def stop_at(self, slot: Slot, step: int) -> None:
        """CloudNativePG gets stuck in a Cluster's birth."""
        await asyncio.to_thread(self._stage.standin.stop_at, *self._place(slot), step)

    async def go_on(self, slot: Slot) -> None:
        """CloudNativePG does what it should again."""
        await asyncio.to_thread(self._stage.standin.go_on, *self._place(slot))

    async def restart_api_server(self, down: float) -> None:
        """The API server dies, for all runs, while this one goes on."""
        self._background.append(asyncio.create_task(self._stage.restart_api_server(down)))

    # the quiet ------------------------------------------------------------------------------------

    async def delete_all(self) -> None:
        """Nobody wants any database any more."""
        for life in list(self._lives.by_uid.values()):
            slot = Slot(life.side, life.name)
            for doing in (
                self._people.edit(slot, {"deletionProtection": False}),
                self._people.delete(slot),
            ):
                with suppress(Refused):
                    await doing
        await self._authors.clear()
        await self._keepers.clear()

    async def quiet(self) -> None:
        """Heal everything, and see that everything comes right, and stays."""
        while self._background:
            await self._background.pop()
        slots = {Slot(life.side, life.name) for life in self._lives.by_uid.values()}
        for slot in slots:
            await self.go_on(slot)
        began, away = time.monotonic(), self._stage.away_seconds
        await self._world.heal(QUIET_SECONDS)
        await self._supply()
        seen, wrong = await self._at_rest(began + QUIET_SECONDS - away)
        took = time.monotonic() - began
        self.outcome.quiets.append(took)
        self._tell(f"  quiet after {took:.1f} s, {len(wrong)} wrong")
        self.outcome.violations += wrong
        if wrong:
            raise AssertionError(f"not right {QUIET_SECONDS:g} s after everything was healed")
        for obj in holders(seen):
            life = self._lives.by_uid[obj["metadata"]["uid"]]
            life.has_name, life.replacing = True, False

    async def _supply(self) -> None:
        """The plugin works, and there are stores."""
        await self._keepers.plug()
        for side in (0, 1):
            await self._keepers.create_store(side)

    async def _at_rest(self, deadline: float) -> tuple[Seen, list[str]]:
        before = None
        while True:
            await self._settled()
            seen = await see(
                self._stage.api,
                self._world.namespaces,
                self._world.rows,
                drilled=self._drilled,
                schemas=self._schemas,
            )
            wrong = violations(self._lives, seen, self._stage.standin.barman.bucket)
            if self._schemas:
                places = self._world.namespaces
                wrong += schemas_kept.violations(
                    self._authors.approved, seen, self._stage.runner, places
                )
            if not wrong and before == seen.versions:
                return seen, []
            if time.monotonic() > deadline + self._stage.away_seconds:
                return seen, wrong or ["it never comes to rest"]
            before = seen.versions
            await asyncio.sleep(LOOK_SECONDS)

    async def _settled(self) -> None:
        """Wait a little while it is plain that databases are not as they are to be."""
        for _ in range(GLANCES):
            found = [
                obj
                for namespace in self._world.namespaces
                for obj in await listed(self._stage.api, "daapdatabases", namespace)
            ]
            if not any(map(moves, found)):
                return
            await asyncio.sleep(LOOK_SECONDS)
