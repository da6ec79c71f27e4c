"""What values.yaml must not say: refused before anything is installed, by the value's name."""

from typing import Any

import pytest
import yaml

from dev.installation import CHART
from tests.support.helm import HelmError, Object, helm, render

WRONG: dict[str, tuple[Object, str, str]] = {
    "unknown": ({"replicas": 3}, "replicas", "not allowed"),
    "misspelt below": ({"image": {"tags": "1"}}, "/image", "'tags' not allowed"),
    "another setting": ({"config": {"secretKey": "x"}}, "/config", "'secretKey' not allowed"),
    "no number": ({"replicaCount": "two"}, "/replicaCount", "got string, want integer"),
    "no switch": ({"crds": {"install": "yes"}}, "/crds/install", "got string, want boolean"),
    "too few workers": ({"config": {"workers": 0}}, "/config/workers", "got 0, want 1"),
    "a mode": ({"migrations": {"mode": "job"}}, "/migrations/mode", "'initContainer'"),
    "a log level": ({"config": {"logLevel": "debug"}}, "/config/logLevel", "'DEBUG'"),
    "a duration": (
        {"config": {"resyncInterval": "10 min"}},
        "config.resyncInterval is '10 min'",
        "write a duration with its unit, such as 30s, 10m or 1h30m",
    ),
    "a number for a duration": (
        {"config": {"leaseDuration": 15}},
        "config.leaseDuration is '15'",
        "write a duration with its unit",
    ),
    "a duration of the pool": (
        {"metadataDatabase": {"pool": {"maxConnectionIdleTime": "1d"}}},
        "metadataDatabase.pool.maxConnectionIdleTime is '1d'",
        "write a duration with its unit",
    ),
    "an image without major": (
        {"config": {"postgresImage": "postgres:17"}},
        "config.postgresImage is 'postgres:17'",
        "begin its tag with {major}",
    ),
    "an image of another major": (
        {"config": {"postgresImages": {"17": "r.example/pg:18"}}},
        "config.postgresImages.17 is 'r.example/pg:18'",
        "begin its tag with 17, as in registry.example/postgresql:17.6-",
    ),
    "an image with half a digest": (
        {"config": {"postgresImages": {"17": "r.example/pg:17@sha256:abc"}}},
        "config.postgresImages.17 is 'r.example/pg:17@sha256:abc'",
        "with all 64 digits of the digest",
    ),
    "an image for no major": (
        {"config": {"postgresImages": {"17.6": "r.example/pg:17"}}},
        "config.postgresImages is '17.6'",
        "write major versions from 14 to 18, each with its image",
    ),
    "six fields of cron": (
        {"config": {"backup": {"schedule": "0 30 2 * * *"}}},
        "config.backup.schedule is '0 30 2 * * *'",
        "write five fields of cron, as in '30 2 * * *', or one of @hourly",
    ),
    "a store in another namespace": (
        {"config": {"backup": {"store": "platform/backups"}}},
        "config.backup.store is 'platform/backups'",
        "write the name of an ObjectStore, or leave it empty",
    ),
    "a spread without a unit": (
        {"config": {"backup": {"spread": 30}}},
        "config.backup.spread is '30'",
        "write a duration with its unit",
    ),
    "no switch for backups": (
        {"config": {"backup": {"enabled": "no"}}},
        "/config/backup/enabled",
        "got string, want boolean",
    ),
    "a domain with its root": (
        {"config": {"clusterDomain": "cluster.local."}},
        "config.clusterDomain is 'cluster.local.'",
        "without a dot at its beginning or end, such as cluster.local",
    ),
    "a version": ({"config": {"defaultPostgresVersion": 13}}, "/config/default", "got 13, want 14"),
    "no version on offer": (
        {"config": {"postgresVersions": []}},
        "/config/postgresVersions",
        "minItems",
    ),
    "a default that is not on offer": (
        {"config": {"defaultPostgresVersion": 14}},
        "config.defaultPostgresVersion is 14",
        "not in config.postgresVersions [15, 16, 17, 18]: add it there, or choose one of these",
    ),
    "a digest": ({"image": {"digest": "abc"}}, "image.digest is 'abc'", "write sha256: and 64"),
    "a namespace": ({"watchNamespaces": ["Shop"]}, "/watchNamespaces/0", "'Shop'"),
    "a namespace twice": ({"watchNamespaces": ["a", "a"]}, "/watchNamespaces", "equal"),
    "no Secret": (
        {"metadataDatabase": {"existingSecret": {"name": ""}}},
        "metadataDatabase.existingSecret.name is empty",
        "name the Secret with the metadata database's URL",
    ),
    "a URL where its Secret belongs": (
        {"metadataDatabase": {"url": "postgresql://daap:hunter2@db/daap"}},
        "/metadataDatabase",
        "'url' not allowed",
    ),
    "an sslmode": (
        {"metadataDatabase": {"tls": {"mode": "verify"}}},
        "/metadataDatabase/tls/mode",
        "'verify-full'",
    ),
    "two authorities": (
        {"metadataDatabase": {"tls": {"caSecret": {"name": "a"}, "caConfigMap": {"name": "b"}}}},
        "metadataDatabase.tls.caSecret.name='a'",
        "set only one of them",
    ),
    "a Job that Argo CD would not see end": (
        {"migrations": {"ttlSecondsAfterFinished": 0}},
        "/migrations/ttlSecondsAfterFinished",
        "got 0, want 300",
    ),
}


@pytest.mark.parametrize(("values", "where", "why"), WRONG.values(), ids=WRONG)
def test_a_wrong_value_is_refused_by_its_name(values: Object, where: str, why: str) -> None:
    with pytest.raises(HelmError) as refused:
        render(values)
    assert where in str(refused.value)
    assert why in str(refused.value)
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize("value", ["0", 0, None], ids=repr)
def test_a_check_takes_zero_and_what_is_left_out(value: object) -> None:
    assert render({"config": {"secretCheckInterval": value}})


def test_every_value_is_in_the_schema() -> None:
    """An object that the schema does not name would be refused, so this is about the defaults."""
    defaults = yaml.safe_load((CHART / "values.yaml").read_text())
    schema = yaml.safe_load((CHART / "values.schema.json").read_text())
    assert sorted(paths(schema)) == sorted(paths_of(defaults, schema))


def paths(schema: Any, path: str = "") -> list[str]:
    below = schema.get("properties") if schema.get("additionalProperties") is False else None
    if not below:
        return [path]
    return [
        p for key, value in below.items() if key != "global" for p in paths(value, f"{path}.{key}")
    ]


def paths_of(values: Any, schema: Any, path: str = "") -> list[str]:
    below = schema.get("properties") if schema.get("additionalProperties") is False else None
    if not below:
        return [path]
    return [p for key, v in values.items() for p in paths_of(v, below[key], f"{path}.{key}")]


def notes(**values: Any) -> str:
    sets = [f"--set={key}={value}" for key, value in values.items()]
    said = helm("install", "daap-operator", str(CHART), "--dry-run=client", *sets)
    return said.partition("NOTES:")[2]


def test_notes_say_what_is_next_and_what_is_missing() -> None:
    plain = notes()
    assert "MISSING: CloudNativePG" in plain
    assert "helm test daap-operator" in plain
    assert "kind: DaapDatabase" in plain
    assert "DANGER" not in plain
    assert "EVERY DATABASE" in notes(**{"crds.keep": "false"})
    assert "daap-operator migrate" in notes(**{"migrations.mode": "none"})
    assert "serves shop, billing" in notes(watchNamespaces="{shop,billing}")
    assert "namespace: shop" in notes(watchNamespaces="{shop,billing}")


def test_notes_say_so_when_the_metadata_database_is_not_verified() -> None:
    mode = "metadataDatabase.tls.mode"
    for weak in ("disable", "allow", "prefer", "require"):
        assert f"UNVERIFIED: {mode}={weak}" in notes(**{mode: weak})
    authority = {"metadataDatabase.tls.caSecret.name": "metadata-ca"}
    for said in ({}, authority, authority | {mode: "require"}, {mode: "verify-ca"}):
        assert "UNVERIFIED" not in notes(**said)
