"""The files of a schema: their checksums, read where a ConfigMap has changed since."""

import hashlib
import json

from daap_operator.api.v1alpha1 import ConfigMapFiles, DaapSchemaSpec, SchemaFiles, SeenConfigMap
from daap_operator.engine.kinds import Ref
from daap_operator.kinds import known
from daap_operator.kinds.schema import sources
from daap_operator.kinds.schema.library import Library, missing, others_first, version
from daap_operator.kinds.schema.memory import SchemaTurn
from daap_operator.kinds.schema.sources import Tally
from daap_operator.schema.selected import ALL


async def files(turn: SchemaTurn, spec: DaapSchemaSpec, library: Library) -> SchemaFiles:
    """The files that there are: a request for each ConfigMap when one has changed, else none.

    Without those of images, which only a Job sees.

    Raises Waiting for a ConfigMap that is not there, and Stalled for files that cannot be.
    """
    seen, of = _seen(turn, spec), _digest(spec)
    before = turn.subject.status.files
    if before is not None and before.sources == of and before.config_maps == seen:
        return before
    tally, read = Tally(), []
    for name, source in sources.parts(spec):
        if source.config_map is None:
            tally.add(sources.inline_files(name.partition("-")[0], source))
    for wanted in seen:  # one at a time, also where several sources name it: it may be large
        there, its = await library.held(turn.world.kube, turn.subject.key.namespace, wanted)
        read.append(there)
        for name, of_map in _named(spec, wanted.name):
            tally.add(sources.config_map_files(name.partition("-")[0], of_map, its))
            await others_first()
    return SchemaFiles(
        count=len(tally.entries),
        bytes=sum(each.size for each in tally.entries),
        checksum=sources.checksum(tally.entries),
        sources=of,
        config_maps=read,
    )


async def keys(turn: SchemaTurn, spec: DaapSchemaSpec, library: Library) -> dict[str, list[str]]:
    """The keys that are files, of ConfigMaps of which only some are, by the sources' names.

    Raises Waiting for a ConfigMap that is not there.
    """
    found: dict[str, list[str]] = {}
    for wanted in _seen(turn, spec):
        some = [(name, of) for name, of in _named(spec, wanted.name) if of.files != ALL]
        if some:
            _, its = await library.held(turn.world.kube, turn.subject.key.namespace, wanted)
            for name, of in some:
                found[name] = sorted(sources.selected(of, its.texts))
                await others_first()
    return found


def _named(spec: DaapSchemaSpec, config_map: str) -> list[tuple[str, ConfigMapFiles]]:
    """The sources that are of a ConfigMap, with their names."""
    return [
        (name, source.config_map)
        for name, source in sources.parts(spec)
        if source.config_map is not None and source.config_map.name == config_map
    ]


def _seen(turn: SchemaTurn, spec: DaapSchemaSpec) -> list[SeenConfigMap]:
    """The ConfigMaps as the store has them, each once. Raises Waiting."""
    namespace = turn.subject.key.namespace
    found: dict[str, SeenConfigMap] = {}
    for _, source in sources.parts(spec):
        if source.config_map is not None:
            name = source.config_map.name
            there = turn.world.store.get(Ref(known.CONFIG_MAP, namespace, name))
            if there is None:
                raise missing(namespace, name)
            found[name] = version(there)
    return list(found.values())


def _digest(spec: DaapSchemaSpec) -> str:
    """Of where the files come from, and of inline files as the store keeps them."""
    of = [[name, source.model_dump(mode="json")] for name, source in sources.parts(spec)]
    return hashlib.sha256(json.dumps(of, sort_keys=True).encode()).hexdigest()
