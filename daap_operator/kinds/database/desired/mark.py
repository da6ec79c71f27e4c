"""A mark that CloudNativePG carries from a spec to an object of its own. Pure.

Neither Cluster nor Pooler says which generation its status speaks of. What CloudNativePG copies
from a spec does: once the mark stands there, it has worked with that spec, however long its queue
was. The places are chosen so that a new mark restarts nothing: the Cluster's ServiceAccount, and
the Pooler's Service.
"""

import hashlib
import json
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from daap_operator import names, quantity, raw
from daap_operator.kinds.database.desired.resolved import Manifest


def mark(spec: Manifest) -> str:
    """A digest of a spec: 16 hexadecimal digits, a valid value of a label.

    Quantities count by their value, as they do where it is decided whether to write.
    """
    text = json.dumps(_by_value(spec, ""), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _by_value(part: Any, path: str) -> Any:
    if isinstance(part, dict):
        return {name: _by_value(value, f"{path}.{name}") for name, value in part.items()}
    if isinstance(part, list):
        return [_by_value(value, path) for value in part]
    if isinstance(part, str) and quantity.stands_at(path):
        with suppress(ValueError):
            return str(quantity.parse(part).normalize())
    return part


def marked_cluster(spec: Manifest) -> Manifest:
    """The spec of a Cluster with its mark, which goes to the annotations of its ServiceAccount."""
    template = {"metadata": {"annotations": {names.SPEC_MARK: mark(spec)}}}
    return spec | {"serviceAccountTemplate": template}


def marked_pooler(spec: Manifest, name: str) -> Manifest:
    """The spec of a Pooler with its mark, which goes to the labels of its Service.

    From there Kubernetes takes it to the EndpointSlices, which are watched by the label with the
    database's name.
    """
    labels = {names.DATABASE_LABEL: name, names.SPEC_MARK: mark(spec)}
    template = raw.mapping(spec, "serviceTemplate")
    return spec | {"serviceTemplate": {**template, "metadata": {"labels": labels}}}


_TEMPLATES = ("serviceAccountTemplate", "serviceTemplate")


def is_marked(child: Mapping[str, Any]) -> bool:
    """Whether the operator's part of a Cluster or Pooler has a mark.

    Those made before there were marks get theirs with their next change: an upgrade of the operator
    writes nothing.
    """
    metadata = [raw.mapping(child, "spec", template, "metadata") for template in _TEMPLATES]
    return any(
        raw.text(each, kind, names.SPEC_MARK)
        for each in metadata
        for kind in ("annotations", "labels")
    )


def unmarked(manifest: Manifest) -> Manifest:
    """The same manifest without its mark."""
    spec = dict(manifest["spec"])
    for template in _TEMPLATES:
        left = {part: of for part, of in spec.pop(template, {}).items() if part != "metadata"}
        if left:
            spec[template] = left
    return manifest | {"spec": spec}
