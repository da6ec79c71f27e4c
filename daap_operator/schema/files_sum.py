"""One checksum for all files that are to be there, as whoever orders a run and the run count it.

Pure, and in the operator's process, too: this imports neither the parser nor a database.
"""

import hashlib
from collections.abc import Iterable

_LAST = "fixtures"


def files_checksum(entries: Iterable[tuple[str, str, str]]) -> str:
    """SHA-256, 64 hex digits, of files given as part, name and the SHA-256 of their bytes (hex).

    Part is `schema` or `fixtures`. The files count in the order in which they are applied, a line
    `PART NAME SHA256` each, whatever the order they are given in.
    """
    ordered = sorted(entries, key=lambda each: (each[0] == _LAST, *each[1:]))
    told = "".join(f"{part} {name} {checksum}\n" for part, name, checksum in ordered)
    return hashlib.sha256(told.encode(errors="surrogateescape")).hexdigest()
