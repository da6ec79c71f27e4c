"""What a benchmark sees of changes, and how it waits: within bounds, and for who still runs."""

import asyncio
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks import waiting
from benchmarks.errors import BenchError
from benchmarks.figures import Request
from benchmarks.kro import Kro
from benchmarks.programs import Program, ServingProgram
from benchmarks.systems import LARGER, SIZE, Ours, System
from benchmarks.watching import Key, Watching, is_ready, is_reconciling
from daap_operator.kinds import known

KEY: Key = (known.DATABASE, "shop", "orders")
SLEEPER = (sys.executable, "-c", "import sys; sys.stderr.write('said\\n'); sys.stdin.read()")


def database(generation: int = 1, seen: int = 1, **conditions: str) -> dict[str, Any]:
    found = [
        {"type": kind, "status": status, "observedGeneration": seen}
        for kind, status in conditions.items()
    ]
    metadata = {"namespace": "shop", "name": "orders", "generation": generation}
    return {"metadata": metadata, "status": {"conditions": found}}


async def test_a_change_is_seen_at_the_moment_of_its_event() -> None:
    watching = Watching()
    ready = watching.expect(KEY, is_ready)
    gone = watching.expect(KEY, lambda obj: obj is None)
    assert gone.done()  # before there is one
    watching.saw(known.DATABASE, "ADDED", database(), 5.0)
    assert not ready.done()
    gone = watching.expect(KEY, lambda obj: obj is None)
    watching.saw(known.DATABASE, "MODIFIED", database(Ready="True"), 7.0)
    watching.saw(known.DATABASE, "MODIFIED", database(Ready="False"), 8.0)
    watching.saw(known.DATABASE, "DELETED", database(), 9.0)
    assert (ready.result(), gone.result()) == (7.0, 9.0)


async def test_what_holds_already_is_seen_at_once_and_others_are_not_mistaken_for_it() -> None:
    watching = Watching()
    other = (known.DATABASE, "shop", "payments")
    watching.saw(known.DATABASE, "LISTED", database(Ready="True"), 1.0)
    assert watching.expect(KEY, is_ready).done()
    assert not watching.expect(other, is_ready).done()


def test_ready_is_for_the_spec_of_now() -> None:
    assert is_ready(database(Ready="True"))
    assert not is_ready(database(generation=2, Ready="True"))
    assert not is_ready(database(Ready="False"))
    assert not is_ready({"metadata": {"generation": 1}})
    assert not is_ready(None)
    assert is_reconciling(database(Ready="True", Reconciling="True"))
    assert not is_reconciling(database(Ready="True"))
    assert not is_reconciling(None)


@pytest.mark.parametrize("system", [Ours(), Kro()], ids=["daap", "kro"])
def test_an_edit_has_settled_when_its_size_is_asked_for_and_told(system: System) -> None:
    before = database(Ready="True") | {"spec": system.size(SIZE)}
    asked = database(generation=2, Ready="True") | {"spec": system.size(LARGER)}
    told = database(generation=2, seen=2, Ready="True") | {"spec": system.size(LARGER)}
    told["status"]["storage"] = LARGER
    assert [system.has_larger(obj) for obj in (None, before, asked, told)] == [False] * 3 + [True]
    told["status"]["conditions"].append({"type": "Reconciling", "status": "True"})
    assert not system.has_larger(told)


def test_a_database_of_ours_is_not_settled_before_its_volumes_are_larger() -> None:
    told = database(Ready="True") | {"spec": Ours().size(LARGER)}
    assert not Ours().has_larger(told)


async def test_no_more_is_under_way_than_there_are_places(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(waiting, "AT_ONCE", 3)
    busy, most, done = 0, 0, list[int]()

    async def work(number: int) -> None:
        nonlocal busy, most
        busy += 1
        most = max(most, busy)
        await asyncio.sleep(0)
        busy -= 1
        done.append(number)

    await waiting.each(range(20), work)
    assert most == 3
    assert sorted(done) == list(range(20))


@pytest.fixture
def program(tmp_path: Path) -> ServingProgram:
    return ServingProgram("sleeper", SLEEPER, {}, tmp_path / "log")


async def test_what_does_not_come_ends_the_wait_and_is_counted(program: Program) -> None:
    loop = asyncio.get_running_loop()
    come, due = loop.create_future(), loop.create_future()
    come.set_result(1.0)
    await program.start()
    try:
        with pytest.raises(BenchError, match=r"Ready: 1 of 2 within 0 s; .* says more"):
            await waiting.all_of("Ready", [come, due], program, 0.0)
        assert await waiting.all_of("Ready", [come, come], program, 0.0) == [1.0, 1.0]
    finally:
        await program.kill()


async def test_nothing_is_waited_for_of_a_program_that_has_ended(program: Program) -> None:
    await program.start()
    assert program.process.stdin
    program.process.stdin.close()
    await program.process.wait()
    due = asyncio.get_running_loop().create_future()
    with pytest.raises(BenchError, match=r"the sleeper has ended; its log ends with:\n.*said"):
        await waiting.all_of("Ready", [due], program, 60.0)


class Scripted:
    """An audit log that has one part of the script at each reading, and nothing afterwards."""

    def __init__(self, *parts: list[Request]) -> None:
        self.parts = list(parts)

    def read(self) -> list[Request]:
        return self.parts.pop(0) if self.parts else []


async def test_it_is_quiet_when_nothing_but_watches_has_been_asked(
    program: ServingProgram, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "TICK_SECONDS", 0.0)
    monkeypatch.setattr(program, "rest_seconds", 0.05)
    get, watch = Request("get", "secrets", 200), Request("watch", "pods", 200)
    await program.start()
    try:
        audit: Any = Scripted([get], [watch], [get, get], [watch] * 2)
        asked, _ = await waiting.quiet(audit, program, 60.0)
        assert asked.count(get) == 3
        endless: Any = Scripted(*([get] for _ in range(100_000)))
        with pytest.raises(BenchError, match="the sleeper does not come to rest within 0 s"):
            await waiting.quiet(endless, program, 0.0)
    finally:
        await program.kill()
