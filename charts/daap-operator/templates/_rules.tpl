{{/* Generated from daap_operator/rights.py by `make crds`. Do not edit. */}}

{{/* What the operator may do where objects are; docs/reference/rbac.md says why. */}}
{{- define "daap-operator.rules" -}}
- apiGroups: [daap.io]
  resources: [daapdatabases, daaprestores, daapschemas]
  verbs: [get, list, watch, patch]
- apiGroups: [daap.io]
  resources: [daapdatabases/status, daapbackups/status, daaprestores/status, daapdrills/status, daapschemas/status]
  verbs: [patch]
- apiGroups: [postgresql.cnpg.io]
  resources: [clusters, poolers, scheduledbackups, backups]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [apps]
  resources: [deployments]
  verbs: [list, watch]
- apiGroups: [discovery.k8s.io]
  resources: [endpointslices]
  verbs: [list, watch]
- apiGroups: [""]
  resources: [pods, serviceaccounts, persistentvolumeclaims]
  verbs: [list, watch]
- apiGroups: [daap.io]
  resources: [daapdrills]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [barmancloud.cnpg.io]
  resources: [objectstores]
  verbs: [list, watch]
- apiGroups: [""]
  resources: [secrets]
  verbs: [get, create, update, patch, delete]
- apiGroups: [""]
  resources: [pods/log]
  verbs: [get]
- apiGroups: [events.k8s.io]
  resources: [events]
  verbs: [list, create]
- apiGroups: [daap.io]
  resources: [daapbackups]
  verbs: [get, list, watch, create, patch]
- apiGroups: [networking.k8s.io]
  resources: [networkpolicies]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [batch]
  resources: [jobs]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [""]
  resources: [configmaps]
  verbs: [get, list, watch]
{{- end }}

{{/* What belongs to no namespace. */}}
{{- define "daap-operator.clusterRules" -}}
- apiGroups: [storage.k8s.io]
  resources: [storageclasses]
  verbs: [get]
{{- end }}

{{/* Which replica leads, in the release's namespace. What is to be created has no name yet. */}}
{{- define "daap-operator.leaseRules" -}}
- apiGroups: [coordination.k8s.io]
  resources: [leases]
  resourceNames: [{{ include "daap-operator.fullname" . }}]
  verbs: [get, update]
- apiGroups: [coordination.k8s.io]
  resources: [leases]
  verbs: [create]
{{- end }}

{{/* Events on what is in no namespace. */}}
{{- define "daap-operator.defaultRules" -}}
{{- end }}

{{/* To ask who may read the metrics. */}}
{{- define "daap-operator.metricsRules" -}}
- apiGroups: [authentication.k8s.io]
  resources: [tokenreviews]
  verbs: [create]
- apiGroups: [authorization.k8s.io]
  resources: [subjectaccessreviews]
  verbs: [create]
{{- end }}

{{/* For users who may look. */}}
{{- define "daap-operator.viewRules" -}}
- apiGroups: [daap.io]
  resources: [daapdatabases, daapbackups, daaprestores, daapdrills, daapschemas]
  verbs: [get, list, watch]
{{- end }}

{{/* For users who may change. */}}
{{- define "daap-operator.editRules" -}}
- apiGroups: [daap.io]
  resources: [daapdatabases, daapbackups, daaprestores, daapdrills, daapschemas]
  verbs: [create, update, patch, delete, deletecollection]
{{- end }}

{{/* For what implements service binding. */}}
{{- define "daap-operator.bindingRules" -}}
- apiGroups: [daap.io]
  resources: [daapdatabases]
  verbs: [get, list, watch]
{{- end }}
