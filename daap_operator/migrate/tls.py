"""How the metadata database's server is made sure of where nobody has said anything else.

libpq's own default, `prefer`, takes any server for the right one, and falls back to plain text.
https://www.postgresql.org/docs/18/libpq-ssl.html
"""

import ssl
from collections.abc import Mapping
from ipaddress import ip_address
from pathlib import Path

FULL = "verify-full"
_VERIFYING = (FULL, "verify-ca")
_ROOTS = ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt")
"""Where systems keep the authorities that they trust; the image sets SSL_CERT_FILE."""
_USERS_ROOTS = Path("~/.postgresql/root.crt")
"""What libpq reads by itself."""


def secured(found: Mapping[str, str], environment: Mapping[str, str]) -> dict[str, str]:
    """libpq's parameters with what makes sure of the server, unless somebody has chosen otherwise.

    Whoever names a service file has; and on this machine, by a socket or loopback, there is nobody
    in between.
    """
    if _names_a_service(found, environment):
        return dict(found)
    mode = found.get("sslmode") or environment.get("PGSSLMODE")
    if not mode and is_local(found, environment):
        return dict(found)
    made = dict(found) | {"sslmode": mode or FULL}
    if made["sslmode"] == FULL and _root(found, environment) in ("", "system"):
        made["sslrootcert"] = _system_roots(environment)
    return made


def unverified(found: Mapping[str, str], environment: Mapping[str, str]) -> str:
    """The sslmode, if by it any server would be taken for the right one; else empty."""
    if is_local(found, environment) or _names_a_service(found, environment):
        return ""
    mode = found.get("sslmode") or environment.get("PGSSLMODE") or "prefer"
    as_good = mode == "require" and _root(found, environment)  # libpq then means verify-ca
    return "" if mode in _VERIFYING or as_good else mode


def is_local(found: Mapping[str, str], environment: Mapping[str, str]) -> bool:
    """Whether all servers are on this machine. A host's name counts before its address."""
    given = {key: found.get(key) or environment.get(f"PG{key.upper()}", "") for key in _PLACES}
    named = given["host"] or given["hostaddr"]
    return all(_is_here(host) for host in named.split(","))


_PLACES = ("host", "hostaddr")


def _is_here(host: str) -> bool:
    if host in ("", "localhost") or host.startswith(("/", "@")):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _names_a_service(found: Mapping[str, str], environment: Mapping[str, str]) -> bool:
    return bool(found.get("service") or environment.get("PGSERVICE"))


def _root(found: Mapping[str, str], environment: Mapping[str, str]) -> str:
    """The authorities to verify with, as somebody has named them, or as libpq finds them."""
    given = found.get("sslrootcert") or environment.get("PGSSLROOTCERT", "")
    return given or (str(_USERS_ROOTS) if _has_own_roots() else "")


def _has_own_roots() -> bool:
    try:
        return _USERS_ROOTS.expanduser().is_file()
    except RuntimeError:  # a user without a home
        return False


def _system_roots(environment: Mapping[str, str]) -> str:
    """The file with the system's authorities: the OpenSSL in psycopg's wheels looks elsewhere."""
    given = environment.get("SSL_CERT_FILE") or ssl.get_default_verify_paths().cafile
    candidates = (given,) if given else _ROOTS
    return next((path for path in candidates if Path(path).is_file()), "system")
