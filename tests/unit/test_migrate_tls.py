"""Whether the metadata database's server is made sure of, by what URL and environment say."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from daap_operator.migrate import tls

FAR = {"host": "db.example"}

DECIDED: dict[str, tuple[Mapping[str, str], Mapping[str, str], Mapping[str, str], str]] = {
    "nobody says anything": (FAR, {}, {"sslmode": "verify-full", "sslrootcert": "ROOTS"}, ""),
    "several servers": (
        {"host": "localhost,db.example"},
        {},
        {"sslmode": "verify-full", "sslrootcert": "ROOTS"},
        "",
    ),
    "the host comes from the environment": (
        {},
        {"PGHOST": "db.example"},
        {"sslmode": "verify-full", "sslrootcert": "ROOTS"},
        "",
    ),
    "an address": (
        {"hostaddr": "10.1.2.3"},
        {},
        {"sslmode": "verify-full", "sslrootcert": "ROOTS"},
        "",
    ),
    "a name for an address of this machine": (
        {"host": "db.example", "hostaddr": "127.0.0.1"},
        {},
        {"sslmode": "verify-full", "sslrootcert": "ROOTS"},
        "",
    ),
    "a certificate authority": (
        FAR,
        {"PGSSLMODE": "verify-full", "PGSSLROOTCERT": "/ca"},
        {"sslmode": "verify-full"},
        "",
    ),
    "only a certificate authority": (
        FAR | {"sslrootcert": "/ca"},
        {},
        {"sslmode": "verify-full"},
        "",
    ),
    "the system's authorities, in libpq's word": (
        FAR | {"sslmode": "verify-full", "sslrootcert": "system"},
        {},
        {"sslrootcert": "ROOTS"},
        "",
    ),
    "less, by the values": (FAR, {"PGSSLMODE": "prefer"}, {"sslmode": "prefer"}, "prefer"),
    "less, by the URL": (FAR | {"sslmode": "require"}, {"PGSSLMODE": "verify-full"}, {}, "require"),
    "nothing, by the URL": (FAR | {"sslmode": "disable"}, {}, {}, "disable"),
    "require with an authority is verify-ca": (
        FAR | {"sslmode": "require", "sslrootcert": "/ca"},
        {},
        {},
        "",
    ),
    "verify-ca": (FAR | {"sslmode": "verify-ca", "sslrootcert": "/ca"}, {}, {}, ""),
    "a socket": ({"host": "/var/run/postgresql"}, {}, {}, ""),
    "libpq's default": ({}, {}, {}, ""),
    "loopback": ({"host": "127.0.0.1"}, {}, {}, ""),
    "loopback, IPv6": ({"host": "::1"}, {}, {}, ""),
    "a proxy beside": ({"host": "localhost"}, {}, {}, ""),
    "a service file": ({"service": "daap"}, {}, {}, ""),
}


@pytest.fixture
def roots(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The file with the system's authorities, on a machine whose user has none of his own."""
    monkeypatch.setenv("HOME", str(tmp_path))
    made = tmp_path / "roots.crt"
    made.touch()
    return str(made)


@pytest.mark.parametrize(("given", "environment", "added", "warned"), DECIDED.values(), ids=DECIDED)
def test_the_server_is_verified_unless_somebody_says_otherwise(
    given: Mapping[str, str],
    environment: Mapping[str, str],
    added: Mapping[str, str],
    warned: str,
    roots: str,
) -> None:
    environment = {**environment, "SSL_CERT_FILE": roots}
    made = tls.secured(given, environment)
    assert made == {**given, **{k: v.replace("ROOTS", roots) for k, v in added.items()}}
    assert tls.unverified(made, environment) == warned


def test_a_users_own_authorities_are_left_to_libpq(tmp_path: Path, roots: str) -> None:
    own = tmp_path / ".postgresql" / "root.crt"
    own.parent.mkdir()
    own.touch()
    made = tls.secured(FAR, {"SSL_CERT_FILE": roots})
    assert made == {**FAR, "sslmode": "verify-full"}


def test_without_any_authorities_libpq_is_to_say_so(roots: str) -> None:
    made = tls.secured(FAR, {"SSL_CERT_FILE": f"{roots}.none"})
    assert made["sslrootcert"] == "system"
