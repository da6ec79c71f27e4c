"""The kinds that the operator has to do with, each declared once. Pure."""

from daap_operator import names
from daap_operator.kube.kinds import Kind

DATABASE = Kind(names.GROUP, names.VERSION, names.KIND, names.PLURAL)

CLUSTER = Kind(names.CNPG_GROUP, names.CNPG_VERSION, "Cluster", "clusters")
POOLER = Kind(names.CNPG_GROUP, names.CNPG_VERSION, "Pooler", "poolers")

DEPLOYMENT = Kind("apps", "v1", "Deployment", "deployments")
ENDPOINTS = Kind("discovery.k8s.io", "v1", "EndpointSlice", "endpointslices")
POD = Kind("", "v1", "Pod", "pods")
SECRET = Kind("", "v1", "Secret", "secrets")
ACCOUNT = Kind("", "v1", "ServiceAccount", "serviceaccounts")
STORAGE_CLASS = Kind("storage.k8s.io", "v1", "StorageClass", "storageclasses", namespaced=False)
CLAIM = Kind("", "v1", "PersistentVolumeClaim", "persistentvolumeclaims")
