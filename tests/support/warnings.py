"""Warning Events as Kubernetes' own controllers post them."""

from tests.support.api import Object


def failed_create(namespace: str, job: str, note: str) -> Object:
    """The controller of Jobs may not create a pod."""
    regarding = {"apiVersion": "batch/v1", "kind": "Job", "name": job, "namespace": namespace}
    return {
        "metadata": {"generateName": f"{job}-", "namespace": namespace},
        "eventTime": "2099-01-01T00:00:00.000000Z",
        "type": "Warning",
        "reason": "FailedCreate",
        "note": note,
        "action": "Create",
        "reportingController": "job-controller",
        "reportingInstance": "job-controller",
        "regarding": regarding,
    }
