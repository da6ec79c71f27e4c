"""The Kubernetes API: the only door to `kubernetes`.

Plain objects in and out. Requests go through the client's own REST layer (TLS, authentication,
connection pool); its models are left aside, since they know neither CloudNativePG nor us.

    kinds       the kinds that are needed whatever is served
    protocols   what each part needs of the requests
    problems    what the API server refuses, and in which sense
    request     a request as it is counted
    sizes       how large an object, and an answer, may be
    listing     a page of a LIST, read object by object
    connection  a request, and how much of its answer is read
    client      the requests, each with its precondition
"""

from daap_operator.api.kind import Kind
from daap_operator.kube.client import LAST_TLS_SECONDS, Kube
from daap_operator.kube.credentials import Credentials, own_namespace
from daap_operator.kube.kinds import ACCESS_REVIEW, EVENT, LEASE, TOKEN_REVIEW
from daap_operator.kube.problems import ApiError, Unreachable, refusal, unchanged
from daap_operator.kube.protocols import Deleting, Plain, Propagation, Replacing, Requests
from daap_operator.kube.request import Request

__all__ = [
    "ACCESS_REVIEW",
    "EVENT",
    "LAST_TLS_SECONDS",
    "LEASE",
    "TOKEN_REVIEW",
    "ApiError",
    "Credentials",
    "Deleting",
    "Kind",
    "Kube",
    "Plain",
    "Propagation",
    "Replacing",
    "Request",
    "Requests",
    "Unreachable",
    "own_namespace",
    "refusal",
    "unchanged",
]
