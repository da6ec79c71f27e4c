"""Which major versions a database may be made with or go to: the platform's offer."""

from datetime import datetime

from daap_operator import majors
from daap_operator.api.v1alpha1 import DaapDatabase
from daap_operator.engine.announce import Announcement
from daap_operator.errors import Stalled
from daap_operator.kinds.database.desired.resolved import Platform
from daap_operator.kinds.database.reasons import DatabaseEvent, DatabaseReason


def check(database: DaapDatabase, platform: Platform, *, running: int | None) -> None:
    """Raise Stalled when a version is asked for that is not on offer, or not to be reached.

    What a database has already is never refused: `running` is the version that its Cluster was last
    asked to run, an upgrade under way or a Cluster left behind among them.
    """
    asked, data = database.spec.postgres_version, database.status.postgres_version
    if asked is None:
        return
    if not majors.reached(asked, data):
        raise Stalled(
            DatabaseReason.VERSION_NOT_REACHED,
            f"spec.postgresVersion is {asked}, and data of PostgreSQL {data} cannot be upgraded to "
            f"that: set it to {_newer(data, platform) or f'{majors.FIRST_REACHED} or more'}, or "
            f"back to {data}",
        )
    if asked in (data, running) or asked in platform.postgres_versions:
        return
    raise Stalled(
        DatabaseReason.VERSION_NOT_OFFERED,
        f"spec.postgresVersion is {asked}, which this platform does not offer: set it to "
        f"{majors.choice(platform.postgres_versions)}, or ask the platform team to offer it "
        "(config.postgresVersions of the operator's chart)",
    )


def end_of_life(major: int | None, platform: Platform, now: datetime) -> Announcement | None:
    """What to report of a database whose version no longer gets fixes."""
    since = majors.ended(major, now)
    if since is None or major is None:
        return None
    remedy = "no version on offer is newer: ask the platform team for one"
    if newer := _newer(major, platform):
        remedy = f"set spec.postgresVersion to {newer}; the data is upgraded in place"
    note = f"PostgreSQL {major} has had no fixes since {since}: {remedy}"
    return Announcement(warning=True, reason=DatabaseEvent.POSTGRES_END_OF_LIFE, note=note)


def _newer(data: int | None, platform: Platform) -> str:
    """The versions on offer that data can be upgraded to; empty when there is none."""
    newer = [
        offered
        for offered in platform.postgres_versions
        if offered > (data or 0) and majors.reached(offered, data)
    ]
    return majors.choice(newer) if newer else ""
