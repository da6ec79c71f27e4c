"""Why a command of `schema` ends without what it was asked for. Pure."""

from daap_operator.schema.command import UsageError
from daap_operator.schema.failures import Failure


class SchemaError(UsageError):
    """It failed, and trying again may help. The message says where, and holds no password.

    A UsageError, so that a command which does not care how it failed ends with the message.
    """


class RefusedError(SchemaError):
    """Nothing was tried: somebody has to act first. `reason` is a word for programs."""

    def __init__(self, message: str, reason: str = "Refused") -> None:
        super().__init__(message)
        self.reason = reason


class LostError(SchemaError):
    """The connection is gone: what was done is in the ledger, and the rest is tried again."""


class FileFailedError(SchemaError):
    """A file failed."""

    def __init__(self, failure: Failure) -> None:
        super().__init__("\n".join(failure.told()))
        self.failure = failure
