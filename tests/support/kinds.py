"""The kinds that tests ask for, by themselves or by their plurals, as on kubectl's command line.

Those that the operator has to do with come from its rights: a new one is here by itself.
"""

from daap_operator import raw
from daap_operator.kube import Kind
from daap_operator.rights import RIGHTS

Which = Kind | str
"""A kind, or its plural."""

DECLARED = tuple(dict.fromkeys(right.kind for right in RIGHTS))
"""The kinds that the operator has to do with."""

CUSTOM = tuple(
    kind for kind in DECLARED if "." in kind.group and not kind.group.endswith(".k8s.io")
)
"""Those of them that come by a CRD, owners before what they own: their objects may be held by
somebody's finalizers."""


def _cluster_scoped(group: str, name: str, plural: str) -> Kind:
    return Kind(group, "v1", name, plural, namespaced=False)


RBAC, ADMISSION = "rbac.authorization.k8s.io", "admissionregistration.k8s.io"

SERVICE = Kind("", "v1", "Service", "services")

OTHERS = (
    _cluster_scoped(
        "apiextensions.k8s.io", "CustomResourceDefinition", "customresourcedefinitions"
    ),
    _cluster_scoped(RBAC, "ClusterRole", "clusterroles"),
    _cluster_scoped(RBAC, "ClusterRoleBinding", "clusterrolebindings"),
    Kind(RBAC, "v1", "Role", "roles"),
    Kind(RBAC, "v1", "RoleBinding", "rolebindings"),
    Kind("", "v1", "ResourceQuota", "resourcequotas"),
    _cluster_scoped("", "Namespace", "namespaces"),
    SERVICE,
    Kind("batch", "v1", "Job", "jobs"),
    _cluster_scoped("", "PersistentVolume", "persistentvolumes"),
    _cluster_scoped(ADMISSION, "ValidatingWebhookConfiguration", "validatingwebhookconfigurations"),
    _cluster_scoped(ADMISSION, "ValidatingAdmissionPolicy", "validatingadmissionpolicies"),
    _cluster_scoped(
        ADMISSION, "ValidatingAdmissionPolicyBinding", "validatingadmissionpolicybindings"
    ),
)
"""Those that only tests ask for."""

ALL = tuple(dict.fromkeys((*DECLARED, *OTHERS)))

_BY_PLURAL = {kind.plural: kind for kind in ALL}
_BY_NAME = {(kind.api_version, kind.name): kind for kind in ALL}


def kind(which: Which) -> Kind:
    """The kind of that plural. Raises KeyError for one that nobody declares."""
    return _BY_PLURAL[which] if isinstance(which, str) else which


def kind_of(manifest: raw.Object) -> Kind:
    """The kind that a manifest says it is of. Raises KeyError for one that nobody declares."""
    return _BY_NAME[raw.text(manifest, "apiVersion"), raw.text(manifest, "kind")]
