"""The files of a schema: their checksums, read where a ConfigMap has changed since."""

import hashlib
import json

from daap_operator import names, raw
from daap_operator.api.v1alpha1 import DaapSchemaSpec, FileSource, SchemaFiles, SeenConfigMap
from daap_operator.engine.kinds import Object, Ref
from daap_operator.errors import Waiting
from daap_operator.kinds import known
from daap_operator.kinds.schema import sources
from daap_operator.kinds.schema.memory import SchemaTurn
from daap_operator.kinds.schema.reasons import SchemaReason
from daap_operator.kinds.schema.sources import Entry

WAITING_SECONDS = 300.0
"""When to look again for a ConfigMap, should no event come."""


async def files(turn: SchemaTurn, spec: DaapSchemaSpec) -> SchemaFiles:
    """The files that there are: a request for each ConfigMap when one has changed, else none.

    Raises Waiting for a ConfigMap that is not there, and Stalled for files that cannot be.
    """
    seen, of = _seen(turn, spec), _digest(spec)
    before = turn.subject.status.files
    if before is not None and before.sources == of and before.config_maps == seen:
        return before
    entries: list[Entry] = []
    read: dict[str, Object] = {}
    for name, source in sources.parts(spec):
        entries += await _entries(turn, name.partition("-")[0], source, read)
    sources.check(entries)
    return SchemaFiles(
        count=len(entries),
        bytes=sum(each.size for each in entries),
        checksum=sources.checksum(entries),
        sources=of,
        config_maps=[_version(read[each.name]) for each in seen],
    )


async def keys(turn: SchemaTurn, spec: DaapSchemaSpec) -> dict[str, list[str]]:
    """The keys that are files, of ConfigMaps of which only some are, by the sources' names."""
    found: dict[str, list[str]] = {}
    for name, source in sources.parts(spec):
        of = source.config_map
        if of is not None and of.files != sources.ALL:
            data = raw.mapping(await _read(turn, of.name), "data")
            found[name] = sorted(key for key in data if sources.selected(of, key))
    return found


async def _entries(
    turn: SchemaTurn, part: str, source: FileSource, read: dict[str, Object]
) -> list[Entry]:
    of = source.config_map
    if of is None:
        return list(sources.inline_files(part, source))
    if of.name not in read:
        read[of.name] = await _read(turn, of.name)
    return sources.config_map_files(part, of, read[of.name])


def _seen(turn: SchemaTurn, spec: DaapSchemaSpec) -> list[SeenConfigMap]:
    """The ConfigMaps as the store has them, each once. Raises Waiting."""
    namespace = turn.subject.key.namespace
    found: dict[str, SeenConfigMap] = {}
    for _, source in sources.parts(spec):
        if source.config_map is not None:
            name = source.config_map.name
            there = turn.world.store.get(Ref(known.CONFIG_MAP, namespace, name))
            if there is None:
                raise _missing(namespace, name)
            found[name] = _version(there)
    return list(found.values())


async def _read(turn: SchemaTurn, name: str) -> Object:
    namespace = turn.subject.key.namespace
    found = await turn.world.kube.get(known.CONFIG_MAP, namespace, name)
    if found is None:
        raise _missing(namespace, name)
    return found


def _version(config_map: raw.Object) -> SeenConfigMap:
    metadata = raw.mapping(config_map, "metadata")
    return SeenConfigMap(
        name=raw.text(metadata, "name"),
        uid=raw.text(metadata, "uid"),
        resource_version=raw.text(metadata, "resourceVersion"),
    )


def _missing(namespace: str, name: str) -> Waiting:
    label = names.SCHEMA_FILES_LABEL
    return Waiting(
        SchemaReason.FILES_MISSING,
        f"ConfigMap {name} with the label {label} does not exist in this namespace: create it, or "
        f"set the label by kubectl label configmap {name} --namespace={namespace} {label}=true",
        seconds=WAITING_SECONDS,
    )


def _digest(spec: DaapSchemaSpec) -> str:
    """Of where the files come from, and of inline files as the store keeps them."""
    of = [[name, source.model_dump(mode="json")] for name, source in sources.parts(spec)]
    return hashlib.sha256(json.dumps(of, sort_keys=True).encode()).hexdigest()
