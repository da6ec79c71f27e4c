"""The connection Secret: everything a client needs, in the keys that service binding knows.

https://servicebinding.io/spec/core/1.1.0/#well-known-secret-entries
"""

import base64
import hashlib
import json
from dataclasses import dataclass
from urllib.parse import quote, urlencode

from daap_operator import names
from daap_operator.kinds.database.desired.resolved import Manifest, Resolved


@dataclass(frozen=True)
class DatabaseCredentials:
    """What CloudNativePG made for the database's owner, and the certificate authority to trust."""

    username: str
    password: str
    ca: str
    """PEM."""

    def __repr__(self) -> str:
        return f"DatabaseCredentials({self.username!r}, …)"


@dataclass(frozen=True)
class CredentialVersions:
    """Resource versions of the Secrets that the credentials are read from."""

    application: str
    server_ca: str


def connection_secret(database: Resolved, credentials: DatabaseCredentials) -> Manifest:
    """The Secret to write."""
    entries = _entries(database, credentials)
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": names.SECRET_TYPE,
        "metadata": _metadata(database),
        "data": {key: base64.b64encode(text.encode()).decode() for key, text in entries.items()},
    }


def _metadata(database: Resolved) -> Manifest:
    """With what the team asked for, and a note of which keys those are: they go when it does."""
    made, asked = database.metadata(database.secret), database.spec.connection_secret_metadata
    if asked is None or not (asked.labels or asked.annotations):
        return made
    keys = {"labels": sorted(asked.labels), "annotations": sorted(asked.annotations)}
    made["labels"] = asked.labels | made["labels"]
    made["annotations"] = {
        **asked.annotations,
        **made.get("annotations", {}),
        names.SECRET_METADATA: json.dumps(keys),
    }
    return made


def kept_credentials(database: Resolved, username: str, password: str) -> Manifest:
    """The owner's credentials for a Cluster that is created again, where CloudNativePG looks for
    them: it takes those that are there, and by the label hears of later changes."""
    made = database.metadata(app_secret(database.cluster))
    made["labels"] |= {"cnpg.io/reload": "true"}
    entries = {"username": username, "password": password}
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": names.SECRET_TYPE,
        "metadata": made,
        "data": {key: base64.b64encode(text.encode()).decode() for key, text in entries.items()},
    }


def app_secret(cluster: str) -> str:
    """The name of the Secret with the owner's credentials, as CloudNativePG calls it."""
    return f"{cluster}-app"


def revision(database: Resolved, versions: CredentialVersions) -> str:
    """A digest that changes when the Secret to write does, worked out without reading a Secret."""
    stand_in = DatabaseCredentials(
        username="", password=versions.application, ca=versions.server_ca
    )
    text = json.dumps(connection_secret(database, stand_in), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


VERIFIED = "-verify-full"
"""Ends the keys of those URIs that have the server verified."""


def _entries(database: Resolved, credentials: DatabaseCredentials) -> dict[str, str]:
    hosts = _hosts(database)
    entries = {
        "type": "postgresql",
        "provider": "daap",
        "host": database.host,
        "port": str(names.POSTGRES_PORT),
        "database": database.database,
        "username": credentials.username,
        "password": credentials.password,
        "ca.crt": credentials.ca,
        "pgpass": "".join(_pgpass(host, database, credentials) for host in hosts.values()),
    }
    for way, host in hosts.items():
        if way:
            entries[f"{way}host"] = host
        for verified in (False, True):
            tls, ending = _tls(database, verified=verified), VERIFIED if verified else ""
            entries[f"{way}uri{ending}"] = _uri(host, database, credentials, tls)
            entries[f"{way}jdbc-uri{ending}"] = _jdbc_uri(host, database, credentials, tls)
    return entries


def _hosts(database: Resolved) -> dict[str, str]:
    """Each way in, by what its keys begin with: the pooler, past it, and a replica."""
    made = {"": database.host, "direct-": database.service("rw")}
    if database.spec.instances > 1:
        made["ro-"] = database.service("ro")
    return made


def _tls(database: Resolved, *, verified: bool) -> dict[str, str]:
    if not verified:
        return {"sslmode": "require"}
    return {"sslmode": "verify-full", "sslrootcert": f"{names.mount_path(database.name)}/ca.crt"}


def _uri(
    host: str, database: Resolved, credentials: DatabaseCredentials, tls: dict[str, str]
) -> str:
    user, password = (quote(t, safe="") for t in (credentials.username, credentials.password))
    place = f"{host}:{names.POSTGRES_PORT}/{database.database}"
    return f"postgresql://{user}:{password}@{place}?{urlencode(tls, safe='/')}"


def _jdbc_uri(
    host: str, database: Resolved, credentials: DatabaseCredentials, tls: dict[str, str]
) -> str:
    place = f"{host}:{names.POSTGRES_PORT}/{database.database}"
    query = {"user": credentials.username, "password": credentials.password}
    return f"jdbc:postgresql://{place}?{urlencode(query)}&{urlencode(tls, safe='/')}"


def _pgpass(host: str, database: Resolved, credentials: DatabaseCredentials) -> str:
    """A line of libpq's password file, in which `:` and `\\` are escaped.

    https://www.postgresql.org/docs/current/libpq-pgpass.html
    """
    fields = (
        host,
        str(names.POSTGRES_PORT),
        database.database,
        credentials.username,
        credentials.password,
    )
    return ":".join(f.replace("\\", "\\\\").replace(":", "\\:") for f in fields) + "\n"
