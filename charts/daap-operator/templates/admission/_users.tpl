{{/* Those whose writes are never a person's: the operator, and Kubernetes' own controllers, which carry out what was
decided before. Without --use-service-account-credentials these are all one user. */}}
{{- define "daap-operator.admission.controllers" -}}
{{- $users := list (include "daap-operator.admission.operator" .) "system:kube-controller-manager" }}
{{- range list "generic-garbage-collector" "namespace-controller" "storage-version-migrator-controller" }}
{{- $users = append $users (printf "system:serviceaccount:kube-system:%s" .) }}
{{- end }}
{{- toJson $users }}
{{- end }}

{{/* The operator and CloudNativePG's: who removes volume claims and Secrets by calling, as when a database shrinks. */}}
{{- define "daap-operator.admission.keepers" -}}
{{- $users := list (include "daap-operator.admission.operator" .) }}
{{- range .Values.admission.cnpgServiceAccounts }}
{{- $users = append $users (printf "system:serviceaccount:%s" (replace "/" ":" .)) }}
{{- end }}
{{- toJson $users }}
{{- end }}

{{/* Whether somebody has the verb that no ordinary role grants: cluster-admin does, by its wildcard, on every
distribution and whatever the administrators' group is called there. */}}
{{- define "daap-operator.admission.administers" -}}
authorizer.group('daap.io').resource('daapdatabases').namespace(request.namespace).check('administer').allowed()
{{- end }}
