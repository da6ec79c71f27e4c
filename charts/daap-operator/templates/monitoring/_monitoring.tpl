{{/* The labels of every object, and those by which Prometheus or Grafana picks this one. */}}
{{- define "daap-operator.monitoringLabels" -}}
{{- $root := index . 0 }}
{{- $labels := merge (deepCopy (index . 1)) (include "daap-operator.labels" $root | fromYaml) }}
{{- toYaml (set $labels "app.kubernetes.io/component" "monitoring") }}
{{- end }}

{{/* How to read /metrics. The label `namespace` of a database is told by the operator: it must stay. */}}
{{- define "daap-operator.scrape" -}}
{{- $root := index . 0 }}
path: /metrics
honorLabels: true
{{- with index . 1 }}
interval: {{ .interval }}
scrapeTimeout: {{ .scrapeTimeout }}
{{- end }}
{{- if eq (include "daap-operator.metricsAuthentication" $root) "kubernetes" }}
authorization:
  type: Bearer
  credentials:
    {{- $token := default dict $root.Values.monitoring.tokenSecret }}
    name: {{ default (include "daap-operator.metricsReader" $root) $token.name }}
    key: {{ default "token" $token.key }}
{{- end }}
{{- with include "daap-operator.metricsTLS" $root }}
scheme: https
tlsConfig:
  serverName: {{ include "daap-operator.metricsServerName" $root }}
  ca:
    secret: {name: {{ . }}, key: ca.crt}
{{- end }}
{{- end }}

{{/* The role of who may read /metrics, and the account whose token the chart's monitors send. */}}
{{- define "daap-operator.metricsReader" -}}
{{- include "daap-operator.fullname" . }}-metrics-reader
{{- end }}

{{- define "daap-operator.metricsServerName" -}}
{{- default (printf "%s-metrics.%s.svc" (include "daap-operator.fullname" .) .Release.Namespace) (dig "tls" "serverName" "" (default dict .Values.metrics)) }}
{{- end }}
