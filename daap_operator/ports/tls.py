"""The certificate of a port, renewed while it is served."""

import logging
import ssl
from pathlib import Path

from daap_operator.errors import StartError

log = logging.getLogger(__name__)

CERTIFICATE, KEY = "tls.crt", "tls.key"
"""As in a Secret of the type `kubernetes.io/tls`."""

Stamp = tuple[tuple[int, int], ...]


class Certificate:
    """Certificate and key in a directory. A pair that replaces them is used from then on."""

    def __init__(self, directory: str) -> None:
        """Raises StartError when they are not there, or do not go together."""
        self._files = [Path(directory) / name for name in (CERTIFICATE, KEY)]
        try:
            self._stamp = self._stamped()
            self._context = self._loaded()
        except OSError as error:
            raise StartError(
                f"DAAP_METRICS_TLS_DIRECTORY='{directory}': {CERTIFICATE} and {KEY} cannot be used:"
                f" {error}; put a certificate there and the key that it is for, in PEM, without a "
                "passphrase"
            ) from error

    def context(self) -> ssl.SSLContext:
        """What to serve a connection with that begins now."""
        try:
            stamp = self._stamped()
            if stamp != self._stamp:
                self._context, self._stamp = self._loaded(), stamp
        except OSError:  # half replaced: the next connection asks again
            log.debug("Certificate not read again", exc_info=True)
        return self._context

    def _stamped(self) -> Stamp:
        found = [file.stat() for file in self._files]
        return tuple((each.st_mtime_ns, each.st_ino) for each in found)

    def _loaded(self) -> ssl.SSLContext:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        certificate, key = self._files
        context.load_cert_chain(certificate, key, password="")
        return context
