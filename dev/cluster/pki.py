"""The cluster's certificates, made by the openssl program and signed by one authority."""

import hashlib
import re
from collections.abc import Sequence
from pathlib import Path

from dev.cluster.commands import run

DAYS = "365"
NEW_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")

# A configuration of our own, since every system's differs. The extensions are those that strict
# clients insist on, as Python is from 3.13 on.
CONFIG = """
[req]
distinguished_name = names
x509_extensions = authority
[names]
[authority]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
"""
EXTENSIONS = """
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth, clientAuth
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
"""


def subject(user: str, groups: Sequence[str] = ()) -> str:
    """The openssl subject by which Kubernetes knows a user: CN is the user, each O a group."""
    names = [*(("O", group) for group in groups), ("CN", user)]
    escaped = [(kind, re.sub(r"([\\/+])", r"\\\1", name)) for kind, name in names]
    return "".join(f"/{kind}={name}" for kind, name in escaped)


def extensions(alternatives: Sequence[str] = ()) -> str:
    """The openssl extension file of a certificate; `alternatives` such as `DNS:localhost`."""
    names = f"subjectAltName={','.join(alternatives)}\n" if alternatives else ""
    return EXTENSIONS + names


def file_name(user: str, groups: Sequence[str]) -> str:
    """A file name for a user's certificate, one for each user and set of groups."""
    digest = hashlib.sha256("\0".join((user, *groups)).encode()).hexdigest()[:8]
    return f"user-{re.sub(r'[^a-zA-Z0-9.-]+', '-', user)[:40]}-{digest}"


def self_signed(directory: Path, name: str) -> tuple[Path, Path]:
    """Certificate and key of a server or client that its peers pin: nobody else signs it."""
    config, certificate, key = (directory / f"{name}.{end}" for end in ("cnf", "crt", "key"))
    own = extensions([f"DNS:{name}"])
    config.write_text(
        f"[req]\ndistinguished_name = names\nx509_extensions = own\n[names]\n[own]\n{own}"
    )
    files = ("-keyout", key, "-out", certificate)
    named = ("-config", config, "-subj", subject(name), "-days", DAYS)
    run("openssl", "req", "-x509", *NEW_KEY, *named, *files)
    return certificate, key


class Authority:
    """A certificate authority in a directory: `ca.crt`, `ca.key` and what it issued."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def create(self) -> None:
        """Make the authority and the key pair of service account tokens, `sa.key` and `sa.pub`."""
        self.directory.mkdir(mode=0o700)
        self.path("openssl.cnf").write_text(CONFIG)
        names = ("-subj", "/CN=daap-operator-cluster", "-days", DAYS)
        files = ("-keyout", self.path("ca.key"), "-out", self.path("ca.crt"))
        run("openssl", "req", "-x509", *self._config(), *NEW_KEY, *names, *files)
        curve = ("-name", "prime256v1", "-genkey", "-noout")
        run("openssl", "ecparam", *curve, "-out", self.path("sa.key"))
        run("openssl", "ec", "-in", self.path("sa.key"), "-pubout", "-out", self.path("sa.pub"))

    def issue(self, name: str, subject: str, alternatives: Sequence[str] = ()) -> None:
        """Write `name.crt` and `name.key`, for clients and servers alike."""
        key, request, extension = (self.path(f"{name}.{end}") for end in ("key", "csr", "ext"))
        files = ("-keyout", key, "-out", request)
        config = self._config()
        run("openssl", "req", "-new", "-utf8", *config, *NEW_KEY, "-subj", subject, *files)
        extension.write_text(extensions(alternatives))
        signer = ("-CA", self.path("ca.crt"), "-CAkey", self.path("ca.key"), "-CAcreateserial")
        written = ("-days", DAYS, "-out", self.path(f"{name}.crt"), "-extfile", extension)
        run("openssl", "x509", "-req", "-in", request, *signer, *written)

    def path(self, file: str) -> Path:
        """The path of one of the authority's files."""
        return self.directory / file

    def _config(self) -> tuple[str, Path]:
        return "-config", self.path("openssl.cnf")
