{{/* What the policies look at: the namespaces the operator serves. All defaults are written out, so that the
API server adds nothing and GitOps tools see no difference. */}}
{{- define "daap-operator.admission.scope" -}}
matchPolicy: Equivalent
{{- with .Values.watchNamespaces }}
namespaceSelector:
  matchExpressions:
    - key: kubernetes.io/metadata.name
      operator: In
      values: {{ toJson . }}
{{- else }}
namespaceSelector: {}
{{- end }}
{{- end }}

{{- define "daap-operator.admission.operator" -}}
system:serviceaccount:{{ .Release.Namespace }}:{{ include "daap-operator.serviceAccountName" . }}
{{- end }}
