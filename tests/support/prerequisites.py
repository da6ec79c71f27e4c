"""The kinds that the operator finds in a cluster: CloudNativePG's and its Barman Cloud plugin's."""

from dev.cluster import ControlPlane, barman, cnpg


def install(plane: ControlPlane) -> None:
    """Give a control plane their CRDs, as their modules ship them."""
    for crds in (cnpg.crds(), barman.crds()):
        plane.kubectl("apply", "--server-side", "-f", str(crds))
