"""Files that are committed so that a change shows in review; `make golden` writes them."""

import base64
import json
from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import yaml

from daap_operator.api.v1alpha1 import (
    DaapDatabase,
    DaapDatabaseStatus,
    DaapDrillStatus,
    DrillQuery,
    SourceStatus,
)
from daap_operator.engine.child import Owner
from daap_operator.engine.conditions import Moment, dumped
from daap_operator.engine.ownership import OWNED
from daap_operator.kinds import known
from daap_operator.kinds.archiver import Archiver
from daap_operator.kinds.database.desired import locales
from daap_operator.kinds.database.desired.backup import archive_name
from daap_operator.kinds.database.desired.cluster import cluster
from daap_operator.kinds.database.desired.pooler import pooler
from daap_operator.kinds.database.desired.resolved import Origin, Platform, resolve
from daap_operator.kinds.database.desired.scheduled_backup import scheduled_backup
from daap_operator.kinds.database.desired.secret import DatabaseCredentials, connection_secret
from daap_operator.kinds.database.observed import observe
from daap_operator.kinds.database.phases import PHASES
from daap_operator.kinds.database.seen import Children
from daap_operator.kinds.database.status import Published, observed_status
from daap_operator.kinds.drill import checking, desired
from daap_operator.kinds.recovery import moment_text
from daap_operator.names import scratch_name
from daap_operator.settings import Settings
from tests.unit import builders
from tests.unit.kstatus import kstatus

Object = dict[str, Any]

ROOT = Path(__file__).parents[2]
DIRECTORY = Path(__file__).parent / "golden"
STATUS_TABLE = DIRECTORY / "status-table.txt"
DRILL = DIRECTORY / "drill.txt"
"""Not named as the others are: its objects are no database's."""
EXAMPLES = ROOT / "examples"


def generated() -> Iterator[tuple[Path, str]]:
    """Path and content of each golden file."""
    for example in sorted(EXAMPLES.glob("*.yaml")):
        yield DIRECTORY / example.name, children_of(example.read_text())
    yield DRILL, drill()
    yield STATUS_TABLE, status_table()


# --- the children of an example -------------------------------------------------------------------

CREDENTIALS = DatabaseCredentials("USERNAME", "PASSWORD", "CERTIFICATE")


def children_of(example: str) -> str:
    """The children of each DaapDatabase in a YAML text, as YAML; Secrets are decoded to be read."""
    made = [
        child
        for obj in yaml.safe_load_all(example)
        if obj and obj["kind"] == known.DATABASE.name
        for child in _children(obj)
    ]
    header = "# Generated from the example of the same name by `make golden`. Do not edit.\n"
    return header + yaml.safe_dump_all(made, sort_keys=True, width=100)


def _children(obj: Object) -> Iterator[Object]:
    metadata = builders.database()["metadata"] | {"namespace": "default"} | obj["metadata"]
    database = DaapDatabase.model_validate(obj | {"metadata": metadata})
    made = resolve(database, _platform(), origin=_origin(database))
    if backups := made.backups:  # as when the ObjectStore is there
        archive = archive_name(made.cluster, made.uid)
        made = replace(made, archive=archive, archiver=Archiver(backups.store, archive))
    yield cluster(made)
    yield pooler(made)
    if backups:
        yield scheduled_backup(made, backups, suspended=False)
    secret = connection_secret(made, CREDENTIALS)
    decoded = {key: base64.b64decode(text).decode() for key, text in secret.pop("data").items()}
    yield secret | {"stringData": decoded}


def _origin(database: DaapDatabase) -> Origin | None:
    """What the operator finds where a source is named."""
    if (asked := database.spec.source) is None:
        return None
    source = SourceStatus(
        database=asked.database,
        namespace="default",
        archive="daap-orders-0a1b2c3d",
        store="backups",
        at=moment_text(asked.moment) if asked.moment else None,
        database_name="orders",
    )
    return Origin(source, 17, locales.default(17))


def _platform() -> Platform:
    """What the operator does without any settings."""
    defaults = {name: field.default for name, field in Settings.model_fields.items()}
    return Platform(
        default_postgres_version=defaults["default_postgres_version"],
        postgres_versions=defaults["postgres_versions"],
        postgres_image=defaults["postgres_image"],
        cluster_domain=defaults["cluster_domain"],
    )


# --- what a drill makes ---------------------------------------------------------------------------


def drill() -> str:
    """All that a drill of the example with backups makes, as YAML."""
    children = yaml.safe_load_all(children_of((EXAMPLES / "backed-up.yaml").read_text()))
    of = next(child for child in children if child["kind"] == known.CLUSTER.name)
    owner = Owner(known.DAAP_DRILL, "default", "proof", "0a1b2c3d-0000-4000-8000-000000000000")
    name = scratch_name(owner.name, owner.uid)
    archive = {"store": "backups", "archive": "daap-orders-0a1b2c3d"}
    status = DaapDrillStatus(conditions=[], cluster_name=name, **archive)
    job = checking.job_spec(
        cluster=name,
        database="orders",
        images=(of["spec"]["imageName"], "ghcr.io/daap-io/daap-operator:0"),
        queries=[DrillQuery(name="invoices", sql="SELECT count(*) FROM invoices", expect="7")],
        seconds=3600,
    )
    specs = {
        known.NETWORK_POLICY: desired.policy_spec(name, (443, 6443)),
        known.CLUSTER: desired.scratch_spec({OWNED: of}, status, "orders"),
        known.JOB: job,
    }
    made = [desired.child(kind, owner, name, spec).manifest for kind, spec in specs.items()]
    header = "# Generated by `make golden`. Do not edit.\n"
    apart = json.loads(json.dumps(made))  # without YAML's references from one part to another
    return header + yaml.safe_dump_all(apart, sort_keys=True, width=100)


# --- the table of situations ----------------------------------------------------------------------

UNKNOWN_PHASE = "A phase of a later CloudNativePG"

_COLUMNS = "{:8} {:9} {:7}  {:12} {:5} {:21} {:21} {:7} {:10}"
_HEADINGS = ("primary", "pooler", "before", "phase", "Ready", "reason", "Reconciling", "Stalled")


def status_table() -> str:
    """What is told in each of CloudNativePG's phases, for every state of primary and pooler."""
    lines = [
        "# Generated by `make golden`. Do not edit.",
        "# primary: is it healthy? pooler: is a pod available? before: were clients ever served?",
        "",
        _COLUMNS.format(*_HEADINGS, "kstatus").rstrip(),
    ]
    for phase in (*PHASES, UNKNOWN_PHASE):
        lines += ["", f"'{phase}'"]
        lines += [_row(phase, *states) for states in product((True, False), repeat=3)]
    return "\n".join(lines) + "\n"


def _row(phase: str, primary: bool, pooler: bool, before: bool) -> str:
    status = situation(phase, primary=primary, pooler=pooler, before=before)
    conditions = {condition["type"]: condition for condition in status["conditions"]}
    ready, reconciling = conditions["Ready"], conditions.get("Reconciling")
    obj = {"metadata": {"generation": 1}, "status": status}
    return _COLUMNS.format(
        "healthy" if primary else "-",
        "available" if pooler else "-",
        "served" if before else "-",
        status["phase"],
        ready["status"],
        ready["reason"],
        reconciling["reason"] if reconciling else "-",
        "True" if "Stalled" in conditions else "-",
        kstatus(obj),
    ).rstrip()


def situation(phase: str, *, primary: bool, pooler: bool, before: bool) -> Object:
    """The status of a database with one instance in this situation, as on the wire."""
    seen: Object = {"phase": phase}
    if not primary:
        seen["instancesStatus"] = {"healthy": []}
    children = Children(
        cluster=builders.cluster(seen),
        pooler=builders.pooler(),
        deployment=builders.deployment({} if pooler else {"availableReplicas": 0}),
    )
    made = builders.resolved()
    observed = observe(children, instances=1, poolers=1, image=made.image)
    host = {"host": made.host} if before else {}
    moment = Moment(
        DaapDatabaseStatus.model_validate(host), builders.model().metadata, builders.NOW
    )
    # As in a pass: the Secret is written when the database first serves, and stays
    written = Published(
        "daap-orders-pooler.shop.svc.cluster.local", "daap-orders-connection", "0", "orders"
    )
    published = written if observed.serving or before else None
    return dumped(observed_status(moment, made, observed, None, published))
