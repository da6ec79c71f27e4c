"""One checksum for all that a ledger holds, or would hold. Pure."""

import hashlib
from collections.abc import Iterable

from daap_operator.schema.model import Applied, SqlFile


def checksum(entries: Iterable[Applied | SqlFile]) -> str:
    """SHA-256 of parts, names and checksums, whatever the order; what is half applied is left out.

    That of a set of files is that of the ledger once all of them are applied, and no other.
    """
    rows = sorted(
        f"{each.part} {each.name} {each.checksum}\n"
        for each in entries
        if isinstance(each, SqlFile) or each.done is None
    )
    return hashlib.sha256("".join(rows).encode()).hexdigest()
