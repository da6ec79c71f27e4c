"""The environment: read once, judged with variable, value and remedy, and never shown."""

import re
from datetime import timedelta
from typing import Any

import pytest

from daap_operator import settings
from daap_operator.settings import Settings, SettingsError

URL = "postgresql://daap:hunter2@db.example:5432/daap"
NEEDED = {"DATABASE_URL": URL}


def test_only_the_database_is_needed() -> None:
    read = settings.read(NEEDED)
    assert read.database_url.get_secret_value() == URL
    assert settings.database_url(NEEDED) == URL


def test_a_variable_that_is_empty_counts_as_unset() -> None:
    assert settings.read(NEEDED | {"DAAP_WORKERS": "", "KUBECONFIG": ""}) == settings.read(NEEDED)


DEFAULTS: dict[str, object] = {
    "DB_MAX_CONNS": 25,
    "DB_MIN_CONNS": 5,
    "DB_MAX_CONN_LIFETIME": timedelta(hours=1),
    "DB_MAX_CONN_IDLE_TIME": timedelta(minutes=30),
    "DAAP_MIGRATION_JOB": "",
    "KUBECONFIG": None,
    "DAAP_WATCH_NAMESPACES": (),
    "DAAP_DEFAULT_POSTGRES_VERSION": 17,
    "DAAP_POSTGRES_VERSIONS": (15, 16, 17, 18),
    "DAAP_POSTGRES_IMAGE": "ghcr.io/cloudnative-pg/postgresql:{major}-standard-trixie",
    "DAAP_POSTGRES_IMAGES": {},
    "DAAP_BACKUP_ENABLED": False,
    "DAAP_BACKUP_STORE": "",
    "DAAP_BACKUP_SCHEDULE": "@daily",
    "DAAP_BACKUP_SPREAD": timedelta(minutes=30),
    "DAAP_RESTORE_ACROSS_NAMESPACES": False,
    "DAAP_BACKUP_ON_DELETE": "Keep",
    "DAAP_DRILL_IMAGE": "",
    "DAAP_DRILL_TIMEOUT": timedelta(hours=1),
    "DAAP_DRILL_EGRESS_PORTS": (443, 6443),
    "DAAP_SCHEMA_VERIFY_INTERVAL": timedelta(days=1),
    "DAAP_CLUSTER_DOMAIN": "cluster.local",
    "DAAP_WORKERS": 20,
    "DAAP_RESYNC_INTERVAL": timedelta(minutes=10),
    "DAAP_SECRET_CHECK_INTERVAL": timedelta(minutes=10),
    "DAAP_MEMORY_LIMIT": 512 * 1024 * 1024,
    "DAAP_LEASE_NAME": "daap-operator",
    "DAAP_LEASE_NAMESPACE": None,
    "DAAP_LEASE_DURATION": timedelta(seconds=15),
    "DAAP_IDENTITY": "",
    "DAAP_HEALTH_HOST": "::",
    "DAAP_HEALTH_PORT": 8080,
    "DAAP_METRICS_HOST": "::",
    "DAAP_METRICS_PORT": 9090,
    "DAAP_METRICS_AUTHENTICATION": "kubernetes",
    "DAAP_METRICS_TLS_DIRECTORY": "",
    "DAAP_LOG_LEVEL": "INFO",
    "DAAP_LOG_FORMAT": "json",
}


def variables(read: Settings) -> dict[str, object]:
    dumped = read.model_dump(by_alias=True)
    del dumped["DATABASE_URL"]
    return dumped


def test_everything_else_has_a_default() -> None:
    assert variables(settings.read(NEEDED)) == DEFAULTS


def test_every_variable_is_explained() -> None:
    for name, field in Settings.model_fields.items():
        assert field.description, name
        assert field.alias, name
        assert field.alias == field.alias.upper()


DIGEST = f"sha256:{'0' * 64}"
GIVEN: dict[str, tuple[str, object]] = {
    "DB_MAX_CONNS": ("7", 7),
    "DB_MAX_CONN_LIFETIME": ("90s", timedelta(seconds=90)),
    "DB_MAX_CONN_IDLE_TIME": ("1h30m", timedelta(minutes=90)),
    "DAAP_MIGRATION_JOB": ("daap-system/migrate-1", "daap-system/migrate-1"),
    "KUBECONFIG": ("/home/me/.kube/config", "/home/me/.kube/config"),
    "DAAP_WATCH_NAMESPACES": (" shop, ,billing,", ("shop", "billing")),
    "DAAP_DEFAULT_POSTGRES_VERSION": ("16", 16),
    "DAAP_POSTGRES_VERSIONS": ("18, 17,14,", (14, 17, 18)),
    "DAAP_POSTGRES_IMAGE": ("registry.example:5000/pg:{major}", "registry.example:5000/pg:{major}"),
    "DAAP_POSTGRES_IMAGES": (
        f"17=r.example:5000/pg:17.6-x@{DIGEST}, 18=pg:18",
        {17: f"r.example:5000/pg:17.6-x@{DIGEST}", 18: "pg:18"},
    ),
    "DAAP_BACKUP_ENABLED": ("true", True),
    "DAAP_BACKUP_STORE": ("backups.eu", "backups.eu"),
    "DAAP_BACKUP_SCHEDULE": ("30 2 * * MON-FRI", "30 2 * * MON-FRI"),
    "DAAP_BACKUP_SPREAD": ("1h", timedelta(hours=1)),
    "DAAP_RESTORE_ACROSS_NAMESPACES": ("true", True),
    "DAAP_BACKUP_ON_DELETE": ("FinalBackup", "FinalBackup"),
    "DAAP_DRILL_IMAGE": ("registry.example/daap-operator:1", "registry.example/daap-operator:1"),
    "DAAP_DRILL_TIMEOUT": ("90m", timedelta(minutes=90)),
    "DAAP_DRILL_EGRESS_PORTS": ("443, 9000,443", (443, 9000)),
    "DAAP_SCHEMA_VERIFY_INTERVAL": ("6h", timedelta(hours=6)),
    "DAAP_RESYNC_INTERVAL": ("1.5m", timedelta(seconds=90)),
    "DAAP_SECRET_CHECK_INTERVAL": ("0", timedelta(0)),
    "DAAP_MEMORY_LIMIT": ("1Gi", 1024 * 1024 * 1024),
    "DAAP_LEASE_NAMESPACE": ("daap-system", "daap-system"),
    "DAAP_LEASE_DURATION": ("30s", timedelta(seconds=30)),
    "DAAP_CLUSTER_DOMAIN": ("corp-1.example", "corp-1.example"),
    "DAAP_LOG_LEVEL": ("DEBUG", "DEBUG"),
    "DAAP_LOG_FORMAT": ("text", "text"),
}


@pytest.mark.parametrize("name", GIVEN)
def test_a_variable_is_read(name: str) -> None:
    text, value = GIVEN[name]
    assert variables(settings.read(NEEDED | {name: text})) == DEFAULTS | {name: value}


def test_other_variables_are_left_alone() -> None:
    assert settings.read(NEEDED | {"HOME": "/", "daap_workers": "x"}) == settings.read(NEEDED)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("0", 0), ("250ms", 0.25), ("1s", 1), ("1m", 60), ("1h", 3600), ("1h2m3s4ms", 3723.004)],
)
def test_a_duration_is_written_as_in_go(text: str, seconds: float) -> None:
    read = settings.read(NEEDED | {"DAAP_SECRET_CHECK_INTERVAL": text})
    assert read.secret_check_interval == timedelta(seconds=seconds)


def test_the_image_is_the_one_of_the_major_version() -> None:
    read = settings.read(NEEDED | {"DAAP_POSTGRES_IMAGE": "r.example/pg:{major}-x"})
    assert read.postgres_image == "r.example/pg:{major}-x"


# --- what is wrong --------------------------------------------------------------------------------

_GO = "must be a duration such as 30s, 10m or 1h30m"
_TAG = "must contain '{major}' at the start of its tag"

REFUSED: dict[str, tuple[str, str, str]] = {
    "no number": ("DB_MAX_CONNS", "many", "valid integer"),
    "too few connections": ("DB_MAX_CONNS", "0", "greater than or equal to 1"),
    "too many connections": ("DB_MIN_CONNS", "1001", "less than or equal to 1000"),
    "no amount": ("DAAP_MEMORY_LIMIT", "much", "must be an amount of memory, such as 512Mi"),
    "too little memory": ("DAAP_MEMORY_LIMIT", "64Mi", "must be 128Mi or more"),
    "no unit": ("DB_MAX_CONN_LIFETIME", "30", _GO),
    "an unknown unit": ("DAAP_RESYNC_INTERVAL", "1d", _GO),
    "a unit that Go has not": ("DAAP_RESYNC_INTERVAL", "1mm", _GO),
    "a unit that is too small": ("DAAP_RESYNC_INTERVAL", "5000000us", _GO),
    "longer than a life": ("DAAP_RESYNC_INTERVAL", f"{'9' * 30}h", "is too long"),
    "longer than a number": ("DAAP_RESYNC_INTERVAL", f"{'9' * 400}s", "is too long"),
    "a sign": ("DAAP_RESYNC_INTERVAL", "+1m", _GO),
    "two points": ("DAAP_RESYNC_INTERVAL", "1.2.3s", _GO),
    "less than nothing": ("DAAP_RESYNC_INTERVAL", "-1s", _GO),
    "blanks": ("DAAP_RESYNC_INTERVAL", "1 s", _GO),
    "neither true nor false": ("DAAP_BACKUP_ENABLED", "yes", "must be true or false"),
    "a store elsewhere": ("DAAP_BACKUP_STORE", "a/b", "must be an ObjectStore's name"),
    "no schedule": ("DAAP_BACKUP_SCHEDULE", "daily", "must be five fields of cron"),
    "a day that never comes": ("DAAP_BACKUP_SCHEDULE", "0 0 30 2 *", "a day that never comes"),
    "a port without a number": ("DAAP_DRILL_EGRESS_PORTS", "443,https", "must be TCP ports"),
    "a port too high": ("DAAP_DRILL_EGRESS_PORTS", "65536", "must be TCP ports"),
    "no time for a drill": ("DAAP_DRILL_TIMEOUT", "0", "must be 1s or more"),
    "backups deleted": ("DAAP_BACKUP_ON_DELETE", "Delete", "should be 'Keep' or 'FinalBackup'"),
    "a spread over hours": ("DAAP_BACKUP_SPREAD", "61m", "must be 1h or less"),
    "an old version": ("DAAP_DEFAULT_POSTGRES_VERSION", "13", "greater than or equal to 14"),
    "a version to come": ("DAAP_DEFAULT_POSTGRES_VERSION", "19", "less than or equal to 18"),
    "a default that is not on offer": (
        "DAAP_DEFAULT_POSTGRES_VERSION",
        "14",
        "is not in DAAP_POSTGRES_VERSIONS='15,16,17,18': set it to 15, 16, 17 or 18, or add it",
    ),
    "an offer of the future": ("DAAP_POSTGRES_VERSIONS", "17,19", "between 14 and 18"),
    "an offer of words": ("DAAP_POSTGRES_VERSIONS", "all", "between 14 and 18"),
    "an offer of nothing": ("DAAP_POSTGRES_VERSIONS", ",", "between 14 and 18"),
    "an image without a version": ("DAAP_POSTGRES_IMAGE", "r.example/pg:17", _TAG),
    "an image without a tag": ("DAAP_POSTGRES_IMAGE", "r.example/pg-{major}", _TAG),
    "an image with a late version": ("DAAP_POSTGRES_IMAGE", "r.example/pg:v{major}", _TAG),
    **{
        f"images: {text[:30]}": ("DAAP_POSTGRES_IMAGES", text, "an image whose tag starts with it")
        for text in (
            "17",
            "17=",
            "r.example/pg:17",
            "17=r.example/pg:18",
            "17=r.example/pg:170",
            "17=r.example/pg:v17",
            "17=r.example:17/pg",
            f"17=r.example/pg@{DIGEST}",
            "17=r.example/pg:17@sha256:0",
            "17=r.example/pg:{major}",
            "9=r.example/pg:9",
            "19=r.example/pg:19",
            "x=r.example/pg:17",
            "17=r.example/pg:17,,18=r.example/pg:17",
        )
    },
    **{
        f"a domain: {text[:20]}": ("DAAP_CLUSTER_DOMAIN", text, "must be a DNS domain")
        for text in (
            "cluster.local.",
            ".cluster.local",
            "cluster..local",
            "Cluster.Local",
            "cluster local",
            "cluster.local\n",
            "svc.cluster.local:53",
            "-cluster.local",
            "cluster_local",
            "a" * 64,
            ".".join(["a" * 46] * 4),
        )
    },
    "no worker": ("DAAP_WORKERS", "0", "greater than or equal to 1"),
    "an address as a URL has it": ("DAAP_HEALTH_HOST", "[::1]:8080", "as in '::1'"),
    "no port": ("DAAP_HEALTH_PORT", "70000", "less than or equal to 65535"),
    "a Lease that cannot be renewed in time": ("DAAP_LEASE_DURATION", "1s", "must be 2s or more"),
    "no name for a Lease": ("DAAP_LEASE_NAME", "Daap_Operator", "pattern"),
    "an unknown level": ("DAAP_LOG_LEVEL", "debug", "'DEBUG', 'INFO', 'WARNING' or 'ERROR'"),
    "an unknown form": ("DAAP_LOG_FORMAT", "xml", "'json' or 'text'"),
}


@pytest.mark.parametrize(("name", "value", "remedy"), REFUSED.values(), ids=REFUSED)
def test_a_wrong_variable_is_told_with_its_value_and_the_remedy(
    name: str, value: str, remedy: str
) -> None:
    with pytest.raises(SettingsError) as error:
        settings.read(NEEDED | {name: value})
    assert str(error.value).startswith(f"{name}='{value}': ")
    assert remedy in str(error.value)
    assert "Value error" not in str(error.value)
    assert error.value.__cause__ is None


@pytest.mark.parametrize("environment", [{}, {"DATABASE_URL": ""}], ids=["unset", "empty"])
def test_a_missing_database_is_told_with_an_example(environment: dict[str, str]) -> None:
    told = (
        "DATABASE_URL is not set: set it, for example to "
        "postgresql://user:password@host:5432/daap?sslmode=verify-full"
    )
    for ask in (settings.read, settings.database_url):
        with pytest.raises(SettingsError) as error:
            ask(environment)
        assert str(error.value) == told


def test_all_that_is_wrong_is_told_at_once_a_line_each() -> None:
    with pytest.raises(SettingsError) as error:
        settings.read({"DAAP_WORKERS": "x", "DB_MAX_CONNS": "y"})
    assert [line.split()[0] for line in str(error.value).splitlines()] == [
        "DATABASE_URL",
        "DB_MAX_CONNS='y':",
        "DAAP_WORKERS='x':",
    ]


def test_the_password_is_never_shown() -> None:
    read = settings.read(NEEDED)
    assert "hunter2" not in repr(read) + str(read) + str(read.model_dump())
    with pytest.raises(SettingsError) as error:
        settings.read(NEEDED | {"DAAP_WORKERS": "x"})
    assert "hunter2" not in str(error.value)
    wrong: Any = {"DATABASE_URL": ["hunter2"]}
    with pytest.raises(SettingsError) as error:
        settings.read(wrong)
    assert "hunter2" not in str(error.value)
    assert "DATABASE_URL: " in str(error.value)


def test_an_offer_has_to_have_the_default() -> None:
    told = "DAAP_DEFAULT_POSTGRES_VERSION='17': is not in DAAP_POSTGRES_VERSIONS='15,16': set it to"
    with pytest.raises(SettingsError, match=re.escape(told)):
        settings.read(NEEDED | {"DAAP_POSTGRES_VERSIONS": "16,15"})
