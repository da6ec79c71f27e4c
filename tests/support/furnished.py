"""A control plane made ready for the operator and the stand-in."""

import json

from daap_operator import crd
from daap_operator.api.v1alpha1 import DEFINITIONS
from dev.cluster import ControlPlane
from dev.cluster.established import wait_established
from tests.standin.cnpg import STORAGE_CLASSES
from tests.support import prerequisites


def furnish(plane: ControlPlane) -> None:
    """Give it all CRDs and the StorageClasses, and have its controllers know them."""
    prerequisites.install(plane)
    plane.kubectl("apply", "--server-side", "-f", "-", input=crd.render(*DEFINITIONS))
    wait_established(plane.kubectl)
    classes = {"apiVersion": "v1", "kind": "List", "items": STORAGE_CLASSES}
    plane.kubectl("apply", "--server-side", "-f", "-", input=json.dumps(classes))
    # Its garbage collector looks for new kinds every 30 s only, and at its start
    plane.stop("kube-controller-manager")
    plane.start("kube-controller-manager")
