"""What the API server refuses, and in which sense."""

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from daap_operator import raw
from daap_operator.api.reasons import CommonReason, Interruption
from daap_operator.errors import Outage, Stalled, Waiting
from daap_operator.findings import Reason
from daap_operator.kube.words import quotable
from daap_operator.lines import quoted

Object = dict[str, Any]

log = logging.getLogger(__name__)

_WEBHOOK = re.compile(r'failed calling webhook "([-a-z0-9.]{1,253})"')

PERMISSIONS = "The platform team must correct the operator's permissions"


class ApiError(Outage):
    """The API server refused a request, or a webhook it asked did."""

    def __init__(self, status: int, body: Object, *, what: str, retry_after: float = 0.0) -> None:
        self.what = what
        """Method and path of the request."""
        self.status = status
        """HTTP status code."""
        self.reason = raw.text(body, "reason")
        """The machine-readable reason, such as `Invalid` or `AlreadyExists`."""
        self.message = quoted(raw.text(body, "message")) or f"HTTP {status}"
        """In its words, or a webhook's."""
        self.retry_after = retry_after
        """Seconds the server asked to stay away; 0 when it did not."""
        self.go_on = raw.text(body, "metadata", "continue") if status == 410 else ""
        """What a LIST that took too long may be continued with, as the objects are now."""
        causes = raw.items(body, "details", "causes")
        self.causes = frozenset(raw.text(cause, "reason") for cause in causes)
        """Machine-readable reasons of the details."""
        self.fields = frozenset(raw.text(cause, "field") for cause in causes)
        """Paths of the fields that were refused."""
        super().__init__(f"{what}: {status} {self.reason}: {self.message}")

    @property
    def words(self) -> str:
        """The message, as a tenant may read it."""
        return quotable(self.message)

    @property
    def told(self) -> str:
        """Of what went wrong inside the API server only which request met it, and which webhook."""
        said = f"{self.what}: {self.status} {self.reason}"
        if self.status < 500:
            return f"{said}: {self.words}"
        if webhook := _WEBHOOK.search(self.message):
            return f"{said}: the webhook {webhook[1]} does not answer"
        return said

    @property
    def absent(self) -> bool:
        """The object, or its whole kind, is not there."""
        return self.status == 404

    @property
    def conflict(self) -> bool:
        """The object is not in the state the request took for granted."""
        return self.status == 409

    @property
    def invalid(self) -> bool:
        """The object was looked at and refused: it will be again."""
        return self.status == 422

    @property
    def namespace_terminating(self) -> bool:
        """Nothing can be created here any more."""
        return "NamespaceTerminating" in self.causes

    @property
    def quota_exceeded(self) -> bool:
        """A ResourceQuota forbids the object."""
        return self.status == 403 and "exceeded quota" in self.message

    @property
    def remedy(self) -> str:
        """A webhook that does not answer is named in the message, and so is what is forbidden."""
        if self.status == 403 and "is forbidden: User" in self.message:
            return f". {PERMISSIONS}"
        if self.status < 500 or "failed calling webhook" not in self.message:
            return ""
        return (
            ". The platform team must make sure that this webhook is served: "
            "CloudNativePG's operator serves those of cnpg.io"
        )


def noted(error: ApiError) -> ApiError:
    """Have the log say what a condition leaves out."""
    if error.words != error.message:
        log.info("Request refused", extra={"error": str(error)[:2000]})
    return error


class Unreachable(Outage):
    """No answer came. Whether the request had an effect is unknown."""

    @property
    def told(self) -> str:
        """Nothing of where the API server is."""
        return "The API server does not answer"


@contextmanager
def unchanged(what: str, *, reason: Reason = Interruption.CHANGED) -> Iterator[None]:
    """For a write of something as it was seen: raises Waiting when it is not so any more."""
    try:
        yield
    except ApiError as error:
        if error.conflict or error.absent:
            raise Waiting(reason, f"{what} has just changed", seconds=1.0) from error
        raise


def refusal(error: ApiError, what: str) -> Stalled | Waiting | ApiError:
    """What a refusal means that does not speak of the object itself; the error when it does. Pure.

    `what` could not be written.
    """
    if error.namespace_terminating:
        return Waiting(
            CommonReason.NAMESPACE_TERMINATING, "The namespace is being deleted", seconds=30.0
        )
    if error.quota_exceeded:
        return Stalled(
            CommonReason.QUOTA_EXCEEDED,
            f"A ResourceQuota of the namespace forbids {what}: {error.words}. "
            "Free some of it, or ask the platform team for more",
        )
    if error.status == 403:
        return Stalled(
            CommonReason.FORBIDDEN,
            f"The operator may not write {what}: {error.words}. {PERMISSIONS}",
        )
    return error
