"""The connection Secret: everything a client needs, in the keys that service binding knows.

https://servicebinding.io/spec/core/1.1.0/#well-known-secret-entries
"""

import base64
import hashlib
import json
from dataclasses import dataclass
from urllib.parse import quote, urlencode

from daap_operator import names
from daap_operator.desired.resolved import Manifest, Resolved


@dataclass(frozen=True)
class Credentials:
    """What CloudNativePG made for the database's owner, and the certificate authority to trust."""

    username: str
    password: str
    ca: str
    """PEM."""

    def __repr__(self) -> str:
        return f"Credentials({self.username!r}, …)"


@dataclass(frozen=True)
class CredentialVersions:
    """Resource versions of the Secrets that the credentials are read from."""

    application: str
    server_ca: str


def connection_secret(database: Resolved, credentials: Credentials) -> Manifest:
    """The Secret to write."""
    entries = _entries(database, credentials)
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": names.SECRET_TYPE,
        "metadata": database.metadata(database.secret),
        "data": {key: base64.b64encode(text.encode()).decode() for key, text in entries.items()},
    }


def revision(database: Resolved, versions: CredentialVersions) -> str:
    """A digest that changes when the Secret to write does, worked out without reading a Secret."""
    stand_in = Credentials(username="", password=versions.application, ca=versions.server_ca)
    text = json.dumps(connection_secret(database, stand_in), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _entries(database: Resolved, credentials: Credentials) -> dict[str, str]:
    direct = database.service("rw")
    entries = {
        "type": "postgresql",
        "provider": "daap",
        "host": database.host,
        "port": str(names.POSTGRES_PORT),
        "database": database.database,
        "username": credentials.username,
        "password": credentials.password,
        "uri": _uri(database.host, database, credentials),
        "jdbc-uri": _jdbc_uri(database, credentials),
        "direct-host": direct,
        "direct-uri": _uri(direct, database, credentials),
        "ca.crt": credentials.ca,
    }
    if database.spec.instances > 1:
        read_only = database.service("ro")
        entries |= {"ro-host": read_only, "ro-uri": _uri(read_only, database, credentials)}
    return entries


def _uri(host: str, database: Resolved, credentials: Credentials) -> str:
    user, password = (quote(t, safe="") for t in (credentials.username, credentials.password))
    place = f"{host}:{names.POSTGRES_PORT}/{database.database}"
    return f"postgresql://{user}:{password}@{place}?sslmode=require"


def _jdbc_uri(database: Resolved, credentials: Credentials) -> str:
    place = f"{database.host}:{names.POSTGRES_PORT}/{database.database}"
    query = {
        "user": credentials.username,
        "password": credentials.password,
        "sslmode": "require",
    }
    return f"jdbc:postgresql://{place}?{urlencode(query)}"
