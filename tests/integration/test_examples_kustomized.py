"""The examples of whole schemas as a cluster gets them: `kubectl apply --kustomize`."""

from pathlib import Path

import pytest
import yaml

from daap_operator.api.v1alpha1 import DaapSchemaSpec, FileSource
from dev.cluster import ControlPlane
from tests.fix_examples import EXAMPLES, SCHEMAS
from tests.support.api import Object

LABEL = "daap.io/schema-files"
each_example = pytest.mark.parametrize("example", SCHEMAS)


def built(plane: ControlPlane, example: str) -> dict[tuple[str, str], Object]:
    """What comes out, by kind and name."""
    found = yaml.safe_load_all(plane.kubectl("kustomize", str(EXAMPLES / example)))
    return {(obj["kind"], obj["metadata"]["name"]): obj for obj in found}


def sql(directory: Path) -> dict[str, str]:
    """The files of a directory, by name."""
    return {file.name: file.read_text() for file in directory.glob("*.sql")}


def files_of(source: FileSource, made: dict[tuple[str, str], Object]) -> Object:
    """The files of a source, of which the operator is to notice changes."""
    assert source.config_map
    found = made["ConfigMap", source.config_map.name]
    assert LABEL in found["metadata"]["labels"]
    data: Object = found["data"]
    return data


@each_example
def test_its_schema_has_every_file_there_is(example: str, control_plane: ControlPlane) -> None:
    made = built(control_plane, example)
    assert ("DaapDatabase", example) in made
    spec = DaapSchemaSpec.model_validate(made["DaapSchema", example]["spec"])
    assert spec.database_ref.name == example
    for part, (source,) in {"schema": spec.schema_files, "fixtures": spec.fixtures}.items():
        assert files_of(source, made) == sql(EXAMPLES / example / part)


@each_example
def test_what_comes_out_is_taken(example: str, control_plane: ControlPlane, namespace: str) -> None:
    made = built(control_plane, example)
    words = ("apply", "--server-side", "--dry-run=server", "--validate=strict")
    place = ("--namespace", namespace, "--kustomize", str(EXAMPLES / example))
    said = control_plane.kubectl(*words, *place)
    assert said.count("serverside-applied (server dry run)") == len(made) == 4
