"""DaapDatabases: see, decide, apply what differs, say what is."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Self

from daap_operator import raw
from daap_operator.api.meta import Metadata
from daap_operator.api.reasons import CommonReason
from daap_operator.api.v1alpha1 import DaapDatabaseStatus, OnDelete
from daap_operator.engine.bounds import fit, is_out
from daap_operator.engine.controller import Controller
from daap_operator.engine.kinds import Object, Ref
from daap_operator.engine.store import Store
from daap_operator.engine.world import World
from daap_operator.errors import Problem, Stalled, Waiting
from daap_operator.findings import Finding
from daap_operator.kinds import known
from daap_operator.kinds.database import offer
from daap_operator.kinds.database.again import when
from daap_operator.kinds.database.allotment import (
    allot,
    end,
    give_back,
    refused_until_later,
    require_name,
    take_name,
    until_next_try,
    withdraw,
)
from daap_operator.kinds.database.archives import lost_for_now, note_archive
from daap_operator.kinds.database.children import ensure_children, ensure_schedule
from daap_operator.kinds.database.choices import resolved_now, there
from daap_operator.kinds.database.desired.backup import BackupDefaults
from daap_operator.kinds.database.desired.defaults import asked_in_vain
from daap_operator.kinds.database.desired.resolved import Platform, Resolved
from daap_operator.kinds.database.final_backup import Held, final_backup
from daap_operator.kinds.database.growth import size_volumes, told_of_volumes
from daap_operator.kinds.database.listen import heard_out, listened
from daap_operator.kinds.database.live import as_made, backups_now, observed_now
from daap_operator.kinds.database.logins import logged_in
from daap_operator.kinds.database.memory import DatabaseOutcome, DatabaseTurn, DatabaseWorld
from daap_operator.kinds.database.metrics import METRICS, measured
from daap_operator.kinds.database.publish import note_name, publish
from daap_operator.kinds.database.removal import finalize, protection
from daap_operator.kinds.database.replacement import (
    made_way,
    renew_backups,
    served_since,
    take_on,
    with_restore,
)
from daap_operator.kinds.database.rights import RIGHTS
from daap_operator.kinds.database.row import DATABASES, Row, row
from daap_operator.kinds.database.seen import Observed
from daap_operator.kinds.database.sought import sought
from daap_operator.kinds.database.status import (
    Published,
    deleting_status,
    observed_status,
    refused_status,
    sought_status,
)
from daap_operator.kinds.database.subject import (
    DatabaseSubject,
    is_replaced,
    is_retained,
)
from daap_operator.kinds.database.verifying import verify
from daap_operator.kinds.database.watched import WATCHES, children_of
from daap_operator.kube import ApiError
from daap_operator.samples import Samples
from daap_operator.settings import Settings

_NAMESPACE_GOES = CommonReason.NAMESPACE_TERMINATING


class DatabaseController(Controller[DaapDatabaseStatus]):
    """DaapDatabases."""

    kind = known.DATABASE
    status = DaapDatabaseStatus
    watches = WATCHES
    rights = RIGHTS
    table = DATABASES
    metrics = METRICS
    progress = frozenset({"instances", "postgres_version", "ready_instances", "storage"})

    def __init__(self, world: DatabaseWorld) -> None:
        self.world = world

    @classmethod
    def made(cls, world: World, settings: Settings) -> Self:
        """The controller for one run of the operator."""
        platform = Platform(
            default_postgres_version=settings.default_postgres_version,
            postgres_versions=settings.postgres_versions,
            postgres_image=settings.postgres_image,
            postgres_images=settings.postgres_images,
            cluster_domain=settings.cluster_domain,
            backup=BackupDefaults(
                enabled=settings.backup_enabled,
                store=settings.backup_store,
                schedule=settings.backup_schedule,
                spread=settings.backup_spread,
                on_delete=OnDelete(settings.backup_on_delete),
            ),
            restore_across_namespaces=settings.restore_across_namespaces,
        )
        return cls(DatabaseWorld(world, platform, secret_check=settings.secret_check_interval))

    def admit(self, subject: DatabaseSubject) -> None:
        """Only a spec that can be had, with a name that is free, is begun.

        One that was allotted a name has been begun: `serve` has to judge whether it keeps that.
        """
        if subject.status.cluster_name:
            return
        try:
            resolved_now(self.world, subject)
            take_name(self.world, subject)
        except Stalled as refusal:
            withdraw(self.world, subject, refusal)
            raise

    async def serve(self, turn: DatabaseTurn) -> DatabaseOutcome:
        """Name, children and Secret as they should be."""
        world, key = self.world, turn.subject.key
        if refusal := refused_until_later(world, turn.subject):
            return DatabaseOutcome(self.refused(turn, refusal), partial(until_next_try, world, key))
        try:
            status, problem = await _serve(world, turn)
        except Stalled as refusal:
            if given_back := await give_back(world, turn, refusal):
                return given_back
            raise
        if isinstance(problem, Stalled) and (given_back := await give_back(world, turn, problem)):
            return given_back
        world.notes_of(key).refused = None
        return DatabaseOutcome(status, partial(when, world, key, problem))

    async def remove(self, turn: DatabaseTurn) -> DatabaseOutcome | None:
        """Children and Secret go or stay behind, unless the database is protected.

        Before data goes, one more backup of it is made where that was asked for.
        """
        if protected := await protection(self.world, turn.subject):
            held: Held | None = Held(Finding(CommonReason.DELETION_PROTECTED, protected))
        else:
            held = await final_backup(self.world, turn)
        if held and (kept := await _keep(self.world, turn, held)):
            return kept
        return await finalize(self.world, turn)

    def refused(self, turn: DatabaseTurn, refusal: Stalled) -> DaapDatabaseStatus:
        """What was made of an earlier spec may still serve; whether it does is not always known."""
        if is_out(turn.subject.seen):
            return super().refused(turn, refusal)
        observed = as_made(self.world, turn.subject)
        told = backups_now(self.world, turn.subject, None)
        return refused_status(turn.moment(), observed, refusal, told)

    def troubled(self, turn: DatabaseTurn, trouble: Waiting) -> DaapDatabaseStatus | None:
        """The trouble beside what there is; nothing before the first status."""
        world, looked_at, moment = self.world, turn.subject, turn.moment()
        if looked_at.metadata.deleting:
            return deleting_status(moment, trouble.finding) if looked_at.status.phase else None
        if not looked_at.status.cluster_name or is_out(looked_at.seen):
            return None
        resolved = resolved_now(world, looked_at)
        observed = observed_now(world, looked_at.key, resolved)
        told = backups_now(world, looked_at, resolved)
        return observed_status(moment, resolved, observed, trouble, None, told)

    def row(self, metadata: Metadata, spec: raw.Object, status: DaapDatabaseStatus) -> Row | None:
        """The row of a database; None while it has no name."""
        return row(metadata, spec, status)

    def samples(self, store: Store) -> Iterator[Samples]:
        """What there is to report of the databases."""
        return measured([store.get(key) or {} for key in store.refs(known.DATABASE)])

    def last_words(self, subject: DatabaseSubject) -> dict[str, object]:
        """Whether the data stayed."""
        return {"retained": is_retained(subject)}

    def gone(self, obj: Object) -> None:
        """Its name is free again."""
        end(self.world, obj)

    def forget(self, key: Ref) -> None:
        """Drop the notes."""
        self.world.forget(key)


async def _serve(
    world: DatabaseWorld, turn: DatabaseTurn
) -> tuple[DaapDatabaseStatus, Problem | None]:
    """Name, children and Secret as they should be: the status, and what is in the way."""
    await take_on(world, turn)
    resolved = resolved_now(world, turn.subject)
    require_name(world, turn.subject)
    replacing = await made_way(world, turn.subject, resolved)
    if held := replacing or lost_for_now(world, turn.subject, resolved):
        observed = observed_now(world, turn.subject.key, resolved)
        told = backups_now(world, turn.subject, resolved)
        return observed_status(turn.moment(), resolved, observed, held, None, told), held
    try:
        begun = await sought(world, turn.subject, there(world, turn.subject))
    except Waiting as pending:
        withdraw(world, turn.subject, pending)
        return sought_status(turn.moment(), pending.finding), pending
    if begun:
        resolved = resolved_now(world, turn.subject, begun)
    take_name(world, turn.subject)
    await renew_backups(world, turn.subject, resolved)
    await allot(world, turn, resolved)
    _tell_end_of_life(world, turn.subject)
    observed, problem, published = await _maintain(world, turn.subject, resolved)
    await verify(world, turn.subject, resolved)
    told = backups_now(world, turn.subject, resolved)
    status = observed_status(turn.moment(), resolved, observed, problem, published, told)
    return with_restore(world, turn.subject, status), problem


def _tell_end_of_life(world: DatabaseWorld, looked_at: DatabaseSubject) -> None:
    """Once a day: the API server keeps Events for an hour."""
    notes, now = world.notes_of(looked_at.key), world.now()
    told = offer.end_of_life(looked_at.status.postgres_version, world.platform, now)
    if told is not None and notes.end_of_life_told != now.date():
        notes.end_of_life_told = now.date()
        world.announcer.announce(known.DATABASE, looked_at.metadata, told, now)


async def _keep(world: DatabaseWorld, turn: DatabaseTurn, held: Held) -> DatabaseOutcome | None:
    """Go on looking after a database whose deletion is held.

    None when its Cluster was to be created again, and its namespace is going: nothing comes back.
    """
    published: Published | None = None
    problem: Problem | None = None
    resolved: Resolved | None = None
    try:
        fit("The object", turn.subject.seen)
        resolved = resolved_now(world, turn.subject)
        replacing = await made_way(world, turn.subject, resolved)
        problem = replacing or lost_for_now(world, turn.subject, resolved)
        if problem is None:
            await note_archive(world, turn, resolved)
            await note_name(world, turn, resolved)
            _, problem, published = await _maintain(world, turn.subject, resolved)
    except Stalled as refusal:  # of a spec that breaks today's rules the children stay as they are
        problem = refusal
    except ApiError as error:
        if not error.namespace_terminating:
            raise
        return None
    if is_replaced(turn.subject) and problem and problem.finding.reason == _NAMESPACE_GOES:
        return None
    told = backups_now(world, turn.subject, resolved)
    status = deleting_status(turn.moment(), held.why, published, told)
    key = turn.subject.key
    return DatabaseOutcome(status, lambda: min(held.seconds, when(world, key, problem)))


async def _maintain(
    world: DatabaseWorld, looked_at: DatabaseSubject, resolved: Resolved
) -> tuple[Observed, Problem | None, Published | None]:
    """Children and Secret as they should be: what was seen, what stands in the way, the Secret."""
    children = children_of(world.store, resolved.namespace, resolved.cluster)
    volumes = await size_volumes(world, resolved, children)
    sized = replace(resolved, volume_size=volumes.size, resize_volumes=volumes.resize)
    problem = await ensure_children(world, sized)
    observed = observed_now(world, looked_at.key, sized)
    if problem is None and await listened(world, looked_at.key, sized):
        observed = observed_now(world, looked_at.key, sized)
    if await heard_out(world, looked_at.key, sized, observed):
        observed = observed_now(world, looked_at.key, sized)
    observed = await logged_in(world, looked_at.key, sized, observed)
    published: Published | None = None
    try:
        published = await publish(world, resolved, observed, looked_at.status)
    except (Stalled, Waiting) as trouble:
        problem = problem or trouble
    served = bool(published or looked_at.status.host)
    served = served_since(world, looked_at, served=served, serves=observed.serving)
    unscheduled = await ensure_schedule(
        world, sized, served=served, settled=observed.serving and not observed.unsettled
    )
    problem = problem or unscheduled
    problem = problem or told_of_volumes(volumes, observed)
    if problem is None and observed.serving:
        problem = asked_in_vain(resolved.defaults, looked_at.metadata.annotations)
    return observed, problem, published
