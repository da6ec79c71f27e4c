"""Whether the pooler serves the certificates that the Cluster has now. Pure.

CloudNativePG has PgBouncer read its certificates again when the Pooler changes, or when it sees the
Secrets change. It may miss for hours a Secret that is removed and created again. The Pooler's
status says which versions its pods were last told to read, and the Cluster's which versions exist.

PgBouncer itself logs in to PostgreSQL with a certificate, which CloudNativePG does not sign again
for an authority with another key. Versions do not tell such an authority from one that was renewed
with its key: they raise the doubt, and the two certificates settle it.
"""

import re
from base64 import b64decode
from collections.abc import Mapping
from typing import Any

from daap_operator import names, raw

Object = Mapping[str, Any]

_AUTHORITY = ("serverCaSecretVersion", "serverCA", "ca")
_SERVER = ("serverSecretVersion", "clientTLS", "server")


def authority_differs(cluster: Object | None, pooler: Object | None) -> bool:
    """Whether the pooler's certificate is of another authority than that which clients are told."""
    return _differs(cluster, pooler, *_AUTHORITY)


def server_differs(cluster: Object | None, pooler: Object | None) -> bool:
    """Whether the pooler still serves an earlier certificate."""
    return _differs(cluster, pooler, *_SERVER)


def mark(cluster: Object | None, pooler: Object | None) -> str:
    """The Pooler's annotation: a new value has CloudNativePG and all pods look at the Secrets.

    As it is while there is nothing to be told, so that nothing is written for nothing.
    """
    if authority_differs(cluster, pooler) or server_differs(cluster, pooler):
        versions = raw.mapping(cluster, "status", "secretsResourceVersion")
        return ".".join(raw.text(versions, field) or "0" for field, _, _ in (_AUTHORITY, _SERVER))
    return raw.text(pooler, "metadata", "annotations", names.CERTIFICATES)


def _differs(
    cluster: Object | None, pooler: Object | None, field: str, place: str, name: str
) -> bool:
    """By the Secrets that CloudNativePG makes; whoever gave the Pooler others maintains them."""
    wanted = raw.text(cluster, "status", "secretsResourceVersion", field)
    told = raw.mapping(pooler, "status", "secrets", place)
    own = f"{raw.text(cluster, 'metadata', 'name')}-{name}"
    served = raw.text(told, "version")
    return raw.text(told, "name") == own and bool(wanted and served) and wanted != served


# --- PgBouncer's own certificate ------------------------------------------------------------------

_BEGIN, _END = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
_SUBJECT_KEY = re.compile(rb"\x06\x03\x55\x1d\x0e(?:\x01\x01\xff)?\x04.\x04(.)", re.DOTALL)
_AUTHORITY_KEY = re.compile(rb"\x06\x03\x55\x1d\x23(?:\x01\x01\xff)?\x04.\x30.\x80(.)", re.DOTALL)
"""The two extensions that name a key (RFC 5280, 4.2.1.1 and 4.2.1.2), up to its length."""


def login_in_doubt(cluster: Object | None, pooler: Object | None) -> tuple[str, str] | None:
    """Versions of the authority and of PgBouncer's own certificate, where that is the older one.

    None when it was made for this authority, or is not one that CloudNativePG makes.
    """
    own = raw.mapping(pooler, "status", "secrets", "pgBouncerSecrets", "authQuery")
    authority = raw.text(cluster, "status", "secretsResourceVersion", "clientCaSecretVersion")
    version = raw.text(own, "version")
    made = raw.text(own, "name") == login_secret(raw.text(cluster, "metadata", "name"))
    older = 0 < raw.whole(version) < raw.whole(authority)
    return (authority, version) if made and older else None


def login_secret(cluster: str) -> str:
    """The Secret with the certificate that PgBouncer logs in with, as CloudNativePG names it."""
    return f"{cluster}-pooler"


def another_authority(certificate: str, authority: str) -> bool:
    """Whether a certificate names another authority's key than that of this one; both are PEM.

    False when either does not say.
    """
    signed, key = _named(_AUTHORITY_KEY, certificate), _named(_SUBJECT_KEY, authority)
    return bool(signed and key) and signed != key


def _named(extension: re.Pattern[bytes], certificate: str) -> bytes:
    """The key that an extension of the first certificate names; empty when there is none."""
    text, end, _ = certificate.partition(_BEGIN)[2].partition(_END)
    try:
        der = b64decode(text) if end else b""
    except ValueError:
        return b""
    found = extension.search(der)
    return der[found.end() : found.end() + found[1][0]] if found else b""
