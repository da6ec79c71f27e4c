"""How an operator ends that has lost its Lease."""

import asyncio
from typing import Any, NoReturn

import pytest

from daap_operator import run, settings
from daap_operator.api.reasons import InventoryReason
from daap_operator.engine.store import Store
from daap_operator.errors import Deposed
from daap_operator.kinds.served import KINDS
from daap_operator.mirror import MetadataError
from daap_operator.run import Operator
from tests.unit import virtual_time

LOST = Deposed("The Lease default/daap-operator is lost: b holds it")


class Elector:
    """Leads until it is told that it does not."""

    lease, identity = "default/daap-operator", "a"

    def __init__(self) -> None:
        self.lost = asyncio.Event()

    async def lead(self) -> None: ...

    async def hold(self) -> None:
        await self.lost.wait()
        raise LOST


class Mirror:
    """An inventory without trouble."""

    async def check(self) -> None: ...

    async def connect(self) -> None: ...


class Work:
    """Work that ends when it may, whatever it is told."""

    def __init__(self, where: str, mirror: Mirror | None = None) -> None:
        self.mirror = mirror or Mirror()
        self.store = Store([watch for kind in KINDS for watch in kind.watches])
        self.reached = asyncio.Event()
        self.may_end = asyncio.Event()
        self.log: list[str] = []
        self._where = where

    async def begin(self) -> None:
        await self._hang("begin")

    async def go_on(self) -> None:
        await self._hang("go_on")
        raise AssertionError

    async def end(self) -> None:
        self.log.append("ending")
        await self.may_end.wait()

    async def _hang(self, where: str) -> None:
        if where == self._where:
            self.reached.set()
            await asyncio.Event().wait()


class Ended(BaseException):
    """The process would be gone by now."""


@pytest.mark.parametrize("where", ["begin", "go_on"])
async def test_a_deposed_leader_ends_before_anything_is_waited_for(where: str) -> None:
    elector: Any = Elector()
    work: Any = Work(where)
    ended = asyncio.Event()

    def deposed(lost: Deposed) -> NoReturn:
        assert lost is LOST
        work.log.append("deposed")
        ended.set()
        raise Ended

    operator = Operator(settings.read({"DATABASE_URL": "postgresql://a@b/c"}), deposed=deposed)
    leading = asyncio.create_task(operator._lead(elector, work))
    await work.reached.wait()
    elector.lost.set()
    async with asyncio.timeout(5):
        await ended.wait()
    assert work.log == ["deposed"]
    work.may_end.set()
    with pytest.raises(Ended):
        await leading


class Broken(Mirror):
    """An inventory that cannot be used, for a reason that may go."""

    def __init__(self, reason: InventoryReason, *, until: float = float("inf")) -> None:
        self._error = MetadataError(reason, "The metadata database lacks the migrations 001_a")
        self._until = until
        self.looked = 0

    async def check(self) -> None:
        self.looked += 1
        if virtual_time.now() < self._until:
            raise self._error

    async def connect(self) -> None:
        await self.check()


@pytest.mark.parametrize(
    ("mirror", "began"),
    [
        (Broken(InventoryReason.SCHEMA_OUTDATED), run.SCHEMA_SECONDS),
        (Broken(InventoryReason.SCHEMA_OUTDATED, until=20.0), 20.0),
        (Broken(InventoryReason.FORBIDDEN), 0.0),
    ],
    ids=["missing for ever", "applied meanwhile", "refused"],
)
def test_a_schema_is_waited_for_once_and_not_for_ever(mirror: Broken, began: float) -> None:
    async def lead() -> float:
        elector: Any = Elector()
        work: Any = Work("begin", mirror)
        operator = Operator(settings.read({"DATABASE_URL": "postgresql://a@b/c"}))
        leading = asyncio.create_task(operator._lead(elector, work))
        async with asyncio.timeout(3600):
            await work.reached.wait()
        reached = virtual_time.now()
        work.may_end.set()
        leading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await leading
        return reached

    assert virtual_time.run(lead()) == pytest.approx(began, abs=2.0)
