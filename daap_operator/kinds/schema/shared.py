"""What all DaapSchemas are served with."""

from typing import NamedTuple

from daap_operator.kinds.schema.library import Library
from daap_operator.kinds.schema.memory import Choices
from daap_operator.kinds.warned import Warnings


class Shared(NamedTuple):
    """Of one run of the operator."""

    choices: Choices
    library: Library
    warned: Warnings
