{{/* What the operator may do where databases are; docs/reference/rbac.md says why, verb by verb. */}}
{{- define "daap-operator.rules" -}}
- apiGroups: [daap.io]
  resources: [daapdatabases]
  verbs: [get, list, watch, patch]
- apiGroups: [daap.io]
  resources: [daapdatabases/status]
  verbs: [patch]
- apiGroups: [postgresql.cnpg.io]
  resources: [clusters, poolers]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [apps]
  resources: [deployments]
  verbs: [list, watch]
- apiGroups: [discovery.k8s.io]
  resources: [endpointslices]
  verbs: [list, watch]
- apiGroups: [""]
  resources: [pods, serviceaccounts]
  verbs: [list, watch]
- apiGroups: [""]
  resources: [secrets]
  verbs: [get, create, update, patch, delete]
- apiGroups: [""]
  resources: [persistentvolumeclaims]
  verbs: [list, watch]
- apiGroups: [events.k8s.io]
  resources: [events]
  verbs: [create, list]
{{- end }}

{{/* What belongs to no namespace: whether volumes can grow. */}}
{{- define "daap-operator.clusterRules" -}}
- apiGroups: [storage.k8s.io]
  resources: [storageclasses]
  verbs: [get]
{{- end }}

{{/* Which replica leads: one Lease, in the release's namespace. */}}
{{- define "daap-operator.leaseRules" -}}
- apiGroups: [coordination.k8s.io]
  resources: [leases]
  resourceNames: [{{ include "daap-operator.fullname" . }}]
  verbs: [get, update]
# No name here: what is to be created has none yet when it is decided
- apiGroups: [coordination.k8s.io]
  resources: [leases]
  verbs: [create]
{{- end }}
