"""What teams and administrators do in a run, whatever the operator makes of it.

Each of them may come too late or too early: then it is refused, as it would be in life.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from tests.chaos.lives import Lives, owner
from tests.chaos.plan import SECRET_WORDS, Slot
from tests.chaos.seen import CHILDREN, listed
from tests.chaos.stage import Stage
from tests.support.api import ApiError, Object
from tests.support.databases import database, phase

DATABASES = "daapdatabases"


class Refused(Exception):  # noqa: N818 - a situation, not an error
    """There is nothing to do it to, or the API server would not have it."""


class People:
    """The people of one run."""

    def __init__(self, stage: Stage, namespaces: Sequence[str], lives: Lives) -> None:
        self._stage = stage
        self._api = stage.api
        self._namespaces = namespaces
        self._lives = lives
        self._size = 10

    async def database(self, slot: Slot) -> Object:
        """As it is now; Refused when there is none."""
        found = await self._api.get(DATABASES, self._namespaces[slot.side], slot.name)
        if found is None:
            raise Refused
        return found

    async def children(self, slot: Slot) -> list[Object]:
        """The Cluster, the Pooler and the connection Secrets, whoever has them."""
        namespace = self._namespaces[slot.side]
        found = [child for p in CHILDREN for child in await listed(self._api, p, namespace)]
        return [child for child in found if child["metadata"]["name"] in _names(slot)]

    # databases ------------------------------------------------------------------------------------

    async def create(self, slot: Slot, spec: dict[str, Any]) -> None:
        """Ask for a database."""
        namespace = self._namespaces[slot.side]
        try:
            made = await self._api.create(
                DATABASES, database(namespace, slot.name, **_spec(slot, spec))
            )
        except ApiError as error:
            found = await self._api.get(DATABASES, namespace, slot.name)
            # Created, and the answer was lost?
            if found and error.status == 409 and not self._lives.knows(found):
                made = found
            else:
                raise Refused from error
        self._lives.created(made, slot.side)

    async def edit(self, slot: Slot, change: dict[str, Any]) -> None:
        """Change the spec. Of one that goes only the protection is taken."""
        obj = await self.database(slot)
        if "storage" in change:
            self._size += 1
            change = {"storage": {"size": f"{self._size}Gi"}}
        going = self._lives.asked_to_go(obj)
        if going and change != {"deletionProtection": False}:
            raise Refused
        children = await self.children(slot) if going else []
        before = _now()
        try:
            edited = await self._api.patch(
                DATABASES, self._namespaces[slot.side], slot.name, {"spec": _spec(slot, change)}
            )
        except ApiError as error:
            raise Refused from error
        if going:
            self._lives.released(edited, children)
            if obj["spec"].get("deletionProtection"):  # else it went on before, to its end maybe
                await self._last_backup(edited, children, before)

    async def delete(self, slot: Slot) -> None:
        """Ask for its end."""
        obj = await self.database(slot)
        children = await self.children(slot)
        first = not self._lives.asked_to_go(obj)
        self._lives.deletion_asked(obj, children)
        if first:
            await self._last_backup(obj, children, _now())
        await self._api.delete(DATABASES, self._namespaces[slot.side], slot.name)

    async def _last_backup(self, obj: Object, children: list[Object], since: datetime) -> None:
        """Note what must be backed up; a restore that is asked for may take the Cluster first.

        `since` is from before the operator could know of it: it may be quicker than the answer.
        """
        restores = await self._api.list("daaprestores", obj["metadata"]["namespace"])
        if all(phase(restore) in ("Completed", "Failed") for restore in restores):
            self._lives.last_backup_asked(obj, children, since)

    # children -------------------------------------------------------------------------------------

    async def delete_child(self, slot: Slot, plural: str) -> None:
        """Delete a child by hand; of what is retained all or nothing is removed."""
        for child in await self.children(slot):
            if child["plural"] == plural and not self._lives.is_left_behind(child):
                await self._remove(child)
                return
        raise Refused

    async def remove_retained(self, side: int) -> None:
        """Clear away what was left behind; the Cluster last, for it is what is watched."""
        for plural in reversed(CHILDREN):
            for child in await listed(self._api, plural, self._namespaces[side]):
                if self._lives.is_left_behind(child):
                    await self._remove(child)

    async def _remove(self, child: Object) -> None:
        metadata = child["metadata"]
        if child["plural"] == "clusters":
            await self._lose(child)
        self._lives.child_deleted(child)
        await self._api.delete(child["plural"], metadata["namespace"], metadata["name"])

    async def _lose(self, cluster: Object) -> None:
        """Note whether what is in a Cluster must come back when it is deleted now."""
        uid, namespace = cluster["metadata"]["uid"], cluster["metadata"]["namespace"]
        databases = await self._api.list(DATABASES, namespace)
        status = next(
            (d.get("status") for d in databases if d["metadata"]["uid"] == owner(cluster)), None
        )
        backup = (status or {}).get("backup") or {}
        birth = self._stage.standin.barman.bucket.births.get(uid)
        served = bool(status and status.get("host") and birth)
        archive = birth.archives[-1] if birth and birth.archives else None
        known = backup.get("archive") == archive and backup.get("lastSuccessful")
        told = served and bool((birth and birth.source) or (archive and known))
        self._lives.cluster_lost(cluster, told_of_backup=told)

    async def edit_child(self, slot: Slot, what: str) -> None:
        """Change a child by hand."""
        plural = f"{what.partition('-')[0]}s"
        for child in await self.children(slot):
            if child["plural"] == plural and not self._lives.is_left_behind(child):
                metadata = child["metadata"]
                place = (plural, metadata["namespace"], metadata["name"])
                try:
                    await self._api.patch(*place, HANDIWORK[what])
                except ApiError as error:
                    raise Refused from error
                return
        raise Refused

    async def delete_namespace(self, side: int) -> None:
        """Delete a namespace with all that is in it."""
        self._lives.namespace_deleted(side)
        await self._api.delete("namespaces", "", self._namespaces[side])


HANDIWORK: dict[str, Object] = {
    "cluster-spec": {"spec": {"instances": 5, "smartShutdownTimeout": 99}},
    "cluster-labels": {"metadata": {"labels": {"daap.io/database": None, "mine": "too"}}},
    "pooler-spec": {"spec": {"instances": 7, "cluster": {"name": "another"}}},
    "pooler-labels": {"metadata": {"labels": {"app.kubernetes.io/part-of": "mine"}}},
    "secret-data": {"data": {"host": "bXk=", "password": "bXk="}},
    "secret-labels": {"metadata": {"labels": {"daap.io/database": "mine"}}},
}
"""What somebody changes by hand in a child. Not what tells whose it is: who takes that away takes
the child away."""


def _now() -> datetime:
    """By the clock of what makes backups, to the second."""
    return datetime.now(UTC).replace(microsecond=0)  # noqa: TID251 - what is done is real


def _names(slot: Slot) -> tuple[str, ...]:
    cluster = f"daap-{slot.name}"
    own = (f"{slot.name}-{word}" for word in SECRET_WORDS)
    return (cluster, f"{cluster}-pooler", f"{cluster}-connection", *own)


def _spec(slot: Slot, spec: dict[str, Any]) -> dict[str, Any]:
    """With a Secret's name of the slot's own: rivals for a Secret are looked at once a minute."""
    word = spec.get("connectionSecretName")
    return spec | {"connectionSecretName": f"{slot.name}-{word}"} if word else spec
