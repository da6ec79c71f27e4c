"""The kinds the operator asks for, and where the API server has them. Pure."""

from enum import Enum
from urllib.parse import quote

from daap_operator import names


class Resource(Enum):
    """The kinds the operator asks for: API prefix and plural."""

    DATABASES = (f"/apis/{names.API_VERSION}", names.PLURAL)
    CLUSTERS = (f"/apis/{names.CNPG_API_VERSION}", "clusters")
    POOLERS = (f"/apis/{names.CNPG_API_VERSION}", "poolers")
    DEPLOYMENTS = ("/apis/apps/v1", "deployments")
    ENDPOINTS = ("/apis/discovery.k8s.io/v1", "endpointslices")
    PODS = ("/api/v1", "pods")
    SERVICE_ACCOUNTS = ("/api/v1", "serviceaccounts")
    SECRETS = ("/api/v1", "secrets")
    VOLUME_CLAIMS = ("/api/v1", "persistentvolumeclaims")
    STORAGE_CLASSES = ("/apis/storage.k8s.io/v1", "storageclasses")
    LEASES = ("/apis/coordination.k8s.io/v1", "leases")
    EVENTS = ("/apis/events.k8s.io/v1", "events")

    def path(self, namespace: str = "", name: str = "", subresource: str = "") -> str:
        """The URL's path to a collection, an object or a subresource."""
        prefix, plural = self.value
        parts = [prefix]
        if namespace:
            parts.append(f"namespaces/{quote(namespace, safe='')}")
        parts.append(plural)
        parts += [quote(part, safe="") for part in (name, subresource) if part]
        return "/".join(parts)
