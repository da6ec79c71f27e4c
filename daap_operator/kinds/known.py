"""The kinds that controllers have to do with: ours from their definitions. Pure."""

from daap_operator.api.kind import Kind
from daap_operator.api.v1alpha1 import backup, database, drill, restore, schema
from daap_operator.kube import kinds

DATABASE = database.DEFINITION.kind
DAAP_BACKUP = backup.DEFINITION.kind
DAAP_RESTORE = restore.DEFINITION.kind
DAAP_DRILL = drill.DEFINITION.kind
DAAP_SCHEMA = schema.DEFINITION.kind

CLUSTER = Kind("postgresql.cnpg.io", "v1", "Cluster", "clusters")
POOLER = Kind("postgresql.cnpg.io", "v1", "Pooler", "poolers")
SCHEDULED_BACKUP = Kind("postgresql.cnpg.io", "v1", "ScheduledBackup", "scheduledbackups")
BACKUP = Kind("postgresql.cnpg.io", "v1", "Backup", "backups")
BARMAN_STORE = Kind("barmancloud.cnpg.io", "v1", "ObjectStore", "objectstores")

DEPLOYMENT = Kind("apps", "v1", "Deployment", "deployments")
ENDPOINTS = Kind("discovery.k8s.io", "v1", "EndpointSlice", "endpointslices")
POD = kinds.POD
SECRET = Kind("", "v1", "Secret", "secrets")
ACCOUNT = Kind("", "v1", "ServiceAccount", "serviceaccounts")
STORAGE_CLASS = Kind("storage.k8s.io", "v1", "StorageClass", "storageclasses", namespaced=False)
CLAIM = Kind("", "v1", "PersistentVolumeClaim", "persistentvolumeclaims")
CONFIG_MAP = Kind("", "v1", "ConfigMap", "configmaps")
JOB = Kind("batch", "v1", "Job", "jobs")
NETWORK_POLICY = Kind("networking.k8s.io", "v1", "NetworkPolicy", "networkpolicies")
