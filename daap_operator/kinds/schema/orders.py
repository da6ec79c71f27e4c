"""What a Job is asked to do, and what makes it another Job. Pure."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from enum import StrEnum
from typing import Any

from daap_operator import names
from daap_operator.api.v1alpha1 import DaapSchemaSpec, Rehearsal, SchemaDatabase
from daap_operator.kinds.schema.sources import images, pull_secrets

MEASURE = "--measure"
"""The option of a run whose report says how long each file took, and what it locked."""


class Mode(StrEnum):
    """What a Job does, as the command has it."""

    CHECK = "check"
    """Plan what is pending, and compare the database with the ledger."""
    APPLY = "apply"
    REHEARSE = "rehearse"
    """Apply to a copy, and measure."""


def digest(files: str, database: SchemaDatabase, spec: DaapSchemaSpec) -> str:
    """Of whatever a plan follows from: another one needs another look.

    `files` is the checksum of those that are known without a look: an image has its digest.

    Not of the operator's version: with each new one all databases would be looked at, at once.
    """
    of: dict[str, Any] = {
        "files": files,
        "database": [database.uid, database.cluster_uid],
        "lint": spec.lint.model_dump(mode="json"),
        "ledger": spec.ledger,
        "baseline": spec.baseline,
        "role": spec.role,
        "searchPath": spec.search_path,
    }
    if mounted := images(spec):
        of["images"] = [
            [name, image.model_dump(mode="json", exclude={"pull_secret"})]
            for name, image in mounted.items()
        ]
    return hashlib.sha256(json.dumps(of, sort_keys=True).encode()).hexdigest()


def job_name(name: str, uid: str, mode: Mode, *of: object) -> str:
    """The name of the Job for exactly that."""
    text = json.dumps([uid, mode, *of], sort_keys=True)
    return names.schema_job_name(name, hashlib.sha256(text.encode()).hexdigest())


def backup_name(name: str, uid: str, *of: object) -> str:
    """The name of the DaapBackup that is made before exactly that."""
    text = json.dumps([uid, "backup", *of], sort_keys=True)
    return names.schema_job_name(name, hashlib.sha256(text.encode()).hexdigest())


def drill_name(name: str, uid: str, *of: object) -> str:
    """The name of the DaapDrill with whose copy exactly that is rehearsed."""
    text = json.dumps([uid, "drill", *of], sort_keys=True)
    return names.schema_job_name(name, hashlib.sha256(text.encode()).hexdigest())


def attempt(digest: str, spec: DaapSchemaSpec) -> str:
    """Of the same, and of how a plan is applied: what has failed otherwise is tried at once."""
    how: list[Any] = [
        digest,
        spec.lock_timeout_seconds,
        spec.statement_timeout_seconds,
        spec.on_destructive,
    ]
    if secrets := pull_secrets(spec):
        how.append(secrets)
    if spec.rehearsal is not Rehearsal.NEVER:
        how.append(spec.rehearsal)
    return hashlib.sha256(json.dumps(how).encode()).hexdigest()


def arguments(mode: Mode, spec: DaapSchemaSpec, files: str, job: str, plan: str) -> list[str]:
    """Of the Job that looks, or applies a plan that somebody has approved where that is needed.

    `files` is the checksum of all of them, for a look without those of images; `plan` the plan's
    hash. A copy is no more than a copy, and may lack more files than the plan has: it is given
    whatever it lacks.
    """
    which = "files-but-images" if mode is Mode.CHECK and images(spec) else "files"
    common = [f"--{which}={files}", *_common(spec)]
    if mode is Mode.CHECK:
        return [mode, *common]
    how = [f"--plan={plan}", f"--on-destructive={spec.on_destructive.lower()}"]
    if mode is Mode.REHEARSE:
        how = [MEASURE, "--on-destructive=allow"]
    return [
        Mode.APPLY,
        *common,
        f"--job={job}",
        *how,
        f"--lock-timeout={spec.lock_timeout_seconds}",
        f"--statement-timeout={spec.statement_timeout_seconds}",
    ]


def _common(spec: DaapSchemaSpec) -> Iterator[str]:
    """One word each: what begins with a dash is an option, whatever a value begins with."""
    yield f"--ledger={spec.ledger}"
    yield f"--level={spec.lint.level.lower()}"
    yield from (f"--ignore={rule}" for rule in spec.lint.ignore)
    if spec.baseline:
        yield f"--baseline={spec.baseline}"
    if spec.role:
        yield f"--role={spec.role}"
    if spec.search_path:
        yield f"--search-path={_path(spec.search_path)}"


def _path(schemas: Sequence[str]) -> str:
    return ",".join(schemas)
