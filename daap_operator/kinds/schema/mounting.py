"""Why the images that have a schema's files are not mounted. Pure.

An API server that does not know such volumes drops them without a word; of all else the state of
the container tells, which waits for them.
"""

from collections.abc import Iterable

from daap_operator import raw
from daap_operator.api.v1alpha1 import DaapSchemaSpec
from daap_operator.findings import Finding
from daap_operator.kinds.schema.reasons import SchemaReason
from daap_operator.kinds.schema.report import REFUSED, Said
from daap_operator.kinds.schema.sources import images
from daap_operator.kinds.schema.trim import IMAGES
from daap_operator.kube import words
from daap_operator.lines import quoted

NOT_MOUNTED = "ImageNotMounted"
"""Why a run is refused whose images are not there, as the runner says it."""

_PULLING = {
    "ErrImagePull",
    "ImagePullBackOff",
    "InvalidImageName",
    "ImageInspectError",
    "RegistryUnavailable",
    "SignatureValidationFailed",
}
_CREATING = {"CreateContainerError", "RunContainerError", "CreateContainerConfigError"}
_NO_PLUGIN = "no volume plugin matched"
"""What a kubelet says of a volume that it does not know."""
_NEEDS = (
    "image volumes need Kubernetes 1.35, or the feature gate ImageVolume on in the API server and "
    "the kubelets before that, and containerd 2.1 or CRI-O 1.31 on the nodes: the platform team "
    "must provide them, or put the files into a ConfigMap"
)


def dropped(spec: DaapSchemaSpec, job: raw.Object) -> Said | None:
    """What is said of a Job that has lost images on its way into the API server; else None."""
    lost = len(images(spec)) - raw.number(job, IMAGES)
    if lost <= 0:
        return None
    first = next(iter(images(spec).values()))
    told = (
        f"The cluster does not mount images, and nothing was run: the API server has dropped "
        f"image.reference '{first.reference}' from the Job; {_NEEDS}"
    )
    return Said(REFUSED, NOT_MOUNTED, told, {"result": REFUSED})


def in_the_way(spec: DaapSchemaSpec, pods: Iterable[raw.Object]) -> Finding | None:
    """Why a pod waits for an image with files; None when it does not, or not for one of them."""
    for pod in pods:
        for each in raw.items(pod, "status", "containerStatuses"):
            waiting = raw.mapping(each, "state", "waiting")
            if found := _waiting(spec, raw.text(waiting, "reason"), raw.text(waiting, "message")):
                return found
    return None


def by_event(spec: DaapSchemaSpec, told: str) -> Finding | None:
    """What an Event of a pod without containers says; None when it is about something else."""
    if not (images(spec) and _NO_PLUGIN in told):
        return None
    return _unsupported(told)


def _waiting(spec: DaapSchemaSpec, reason: str, message: str) -> Finding | None:
    told = quoted(words.said(f"{reason}: {message}"))
    if reason in _PULLING:
        return _unavailable(spec, message, told)
    if reason in _CREATING and images(spec) and _of_a_mount(message):
        return _unsupported(told)
    return None


def _unsupported(told: str) -> Finding:
    why = f"A node cannot mount the images that have the files ({told}); {_NEEDS}"
    return Finding(SchemaReason.IMAGES_UNSUPPORTED, why)


def _unavailable(spec: DaapSchemaSpec, message: str, told: str) -> Finding | None:
    for name, image in images(spec).items():
        if image.reference.partition("@")[2] in message:
            part, _, number = name.partition("-")
            why = (
                f"spec.{part}[{number}].image.reference '{image.reference}' cannot be pulled "
                f"({told}): correct it, push the image, or name the Secret that it is pulled by as "
                "image.pullSecret; it is tried again by itself"
            )
            return Finding(SchemaReason.IMAGE_UNAVAILABLE, why)
    return None


def _of_a_mount(message: str) -> bool:
    return any(word in message for word in ("mount", "mkdir", "volume"))
