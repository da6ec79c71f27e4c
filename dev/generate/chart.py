"""The chart's generated files: versions, the CRDs' templates, the rules of its roles, what names
the migration Job; and the reference pages that belong to them."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

from daap_operator import __version__, crd
from daap_operator.api.definition import Definition
from daap_operator.api.v1alpha1 import DEFINITIONS
from daap_operator.rights import RIGHTS
from dev.generate import rbac, values
from dev.installation import CHART, ROOT

REFERENCE = ROOT / "docs" / "reference"

_CRD = """\
{{{{- /* Generated from daap_operator/api by `make crds`. Do not edit. */ -}}}}
{{{{- if .Values.crds.install }}}}
apiVersion: {api_version}
kind: {kind}
metadata:
  name: {name}
  labels:
    {{{{- include "daap-operator.labels" . | nindent 4 }}}}
{labels}  annotations:
    {{{{- if .Values.crds.keep }}}}
    helm.sh/resource-policy: keep
    {{{{- else }}}}
    daap.io/allow-deletion: "true"
    {{{{- end }}}}
{spec}{{{{- end }}}}
"""


def generated() -> Iterator[tuple[Path, str]]:
    """Path and content of each generated file of the chart that needs nothing but Python."""
    chart = CHART / "Chart.yaml"
    yield chart, versioned(chart.read_text(), __version__)
    for definition in DEFINITIONS:
        template = CHART / "templates" / "crds" / f"{definition.kind.plural}.yaml"
        yield template, crd_template(definition)
    # A changed list is another Job
    sums = (ROOT / "migrations" / "SHA256SUMS").read_text()
    yield CHART / "files" / "migrations.sha256", sums
    yield REFERENCE / "values.md", values.page((CHART / "values.yaml").read_text())
    yield CHART / "templates" / "_rules.tpl", rbac.templates(RIGHTS, DEFINITIONS)
    yield REFERENCE / "rbac.md", rbac.page(RIGHTS, DEFINITIONS)


def versioned(chart: str, version: str) -> str:
    """Chart.yaml with the operator's version."""
    return re.sub(r"(?m)^(version|appVersion): .*$", rf"\1: {version}", chart)


def crd_template(definition: Definition) -> str:
    """The CRD as a template: switchable, and by default kept when the release is removed.

    Raises ValueError for what helm would evaluate.
    """
    made = crd.manifest(definition)
    spec, labels = crd.dump({"spec": made["spec"]}), _labels(definition)
    if "{{" in spec + labels:
        raise ValueError(f"the CRD {definition.name} holds '{{{{', which a template would evaluate")
    return _CRD.format(
        api_version=made["apiVersion"],
        kind=made["kind"],
        name=definition.name,
        labels=labels,
        spec=spec,
    )


def _labels(definition: Definition) -> str:
    return "".join(f"    {key}: {json.dumps(value)}\n" for key, value in definition.labels.items())
