"""People who write the files of a database's schema, and who approve plans.

What they ask for is known here; what must hold of it is in `schemas_kept`.
"""

from collections import defaultdict

from daap_operator.kinds import known
from tests.chaos.people import Refused
from tests.chaos.plan import Slot
from tests.chaos.stage import Stage
from tests.support.api import ApiError, Object
from tests.support.schemas import Schemas

ANY = "any"
"""What counts as approved where nobody has to approve."""
REQUIRED = 1
"""The number of a database's schema of which each plan has to be approved; the other one's are
applied as they are."""


class Authors:
    """Those of one run. A database has at most two schemas, which want the same ledger."""

    def __init__(self, stage: Stage, namespaces: list[str]) -> None:
        self._api = stage.api
        self._namespaces = namespaces
        self._counts: dict[tuple[str, str], int] = {}
        self.approved: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
        """The plans that people have approved, by the namespace and name of the schema."""

    def _schemas(self, slot: Slot) -> Schemas:
        return Schemas(self._api, self._namespaces[slot.side])

    def _key(self, slot: Slot, number: int) -> tuple[str, str]:
        return self._namespaces[slot.side], f"{slot.name}-{number}"

    async def order_schema(self, slot: Slot, number: int, *, files_first: bool) -> None:
        """Create a DaapSchema, and its files before it or after it."""
        _, name = self._key(slot, number)
        approval = "Required" if number == REQUIRED else "Automatic"
        if number != REQUIRED:
            self.approved[self._key(slot, number)].add(ANY)
        if files_first:
            await self.write_file(slot, number)
        try:
            await self._schemas(slot).create(name, slot.name, approval=approval)
        except ApiError as error:
            raise Refused from error
        if not files_first:
            await self.write_file(slot, number)

    async def write_file(self, slot: Slot, number: int) -> None:
        """One file more, beside all that were there before."""
        key = self._key(slot, number)
        count = self._counts[key] = self._counts.get(key, 0) + 1
        files = {f"{each:03}_x.sql": f"SELECT {each};\n" for each in range(1, count + 1)}
        try:
            await self._schemas(slot).files(key[1], files)
        except ApiError as error:
            raise Refused from error

    async def delete_files(self, slot: Slot, number: int) -> None:
        """The ConfigMap goes."""
        await self._api.delete(known.CONFIG_MAP, *self._key(slot, number))

    async def approve(self, slot: Slot, number: int) -> None:
        """Approve the plan that the status shows, whatever it is by now."""
        key = self._key(slot, number)
        found = await self._api.get(known.DAAP_SCHEMA, *key)
        plan = ((found or {}).get("status") or {}).get("plan")
        if not plan:
            raise Refused
        self.approved[key].add(plan)
        try:
            await self._schemas(slot).edit(key[1], approve=plan)
        except ApiError as error:
            raise Refused from error

    async def delete_schema(self, slot: Slot, number: int) -> None:
        """Delete a DaapSchema, whatever it is doing."""
        await self._api.delete(known.DAAP_SCHEMA, *self._key(slot, number))

    async def clear(self) -> None:
        """Delete all there are."""
        for namespace in self._namespaces:
            for found in await self._api.list(known.DAAP_SCHEMA, namespace):
                await self._deleted(found)

    async def _deleted(self, found: Object) -> None:
        metadata = found["metadata"]
        await self._api.delete(known.DAAP_SCHEMA, metadata["namespace"], metadata["name"])
