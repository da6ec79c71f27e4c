"""What the API server says of a token: whose it is, and whether they may read the metrics.

https://kubernetes.io/docs/reference/access-authn-authz/webhook/ describes both reviews.
"""

from http import HTTPStatus
from typing import Any

from daap_operator import raw
from daap_operator.engine.kinds import Right, Where
from daap_operator.kube import ACCESS_REVIEW, TOKEN_REVIEW, Kind, Plain

PATH, VERB = "/metrics", "get"
"""What a ClusterRole has to grant, as `nonResourceURLs` and `verbs`."""

RIGHTS = (
    Right(TOKEN_REVIEW, "create", "whose the token is that reads `/metrics`", where=Where.METRICS),
    Right(ACCESS_REVIEW, "create", "whether they may read `/metrics`", where=Where.METRICS),
)
"""What asking takes."""


async def reviewed(kube: Plain, token: str) -> HTTPStatus:
    """200, 401 when the token is nobody's, or 403. Raises ApiError and Unreachable."""
    answer = await kube.create_plain(TOKEN_REVIEW, _review(TOKEN_REVIEW, {"token": token}))
    if raw.mapping(answer, "status").get("authenticated") is not True:
        return HTTPStatus.UNAUTHORIZED
    user = raw.mapping(answer, "status", "user")
    who = {"user": raw.text(user, "username")}
    who |= {key: user[key] for key in ("uid", "groups", "extra") if user.get(key)}
    asked = who | {"nonResourceAttributes": {"path": PATH, "verb": VERB}}
    answer = await kube.create_plain(ACCESS_REVIEW, _review(ACCESS_REVIEW, asked))
    allowed = raw.mapping(answer, "status").get("allowed") is True
    return HTTPStatus.OK if allowed else HTTPStatus.FORBIDDEN


def _review(kind: Kind, spec: dict[str, Any]) -> dict[str, Any]:
    return {"apiVersion": kind.api_version, "kind": kind.name, "metadata": {}, "spec": spec}
