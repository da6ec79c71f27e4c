"""The kinds that the operator has to do with whatever it serves. Pure."""

from daap_operator.api.kind import Kind

EVENT = Kind("events.k8s.io", "v1", "Event", "events")
POD = Kind("", "v1", "Pod", "pods")
LEASE = Kind("coordination.k8s.io", "v1", "Lease", "leases")
TOKEN_REVIEW = Kind("authentication.k8s.io", "v1", "TokenReview", "tokenreviews", namespaced=False)
ACCESS_REVIEW = Kind(
    "authorization.k8s.io", "v1", "SubjectAccessReview", "subjectaccessreviews", namespaced=False
)
