{{/* The labels of every object, and those by which Prometheus or Grafana picks this one. */}}
{{- define "daap-operator.monitoringLabels" -}}
{{- $root := index . 0 }}
{{- $labels := merge (deepCopy (index . 1)) (include "daap-operator.labels" $root | fromYaml) }}
{{- toYaml (set $labels "app.kubernetes.io/component" "monitoring") }}
{{- end }}

{{/* How to read /metrics. The label `namespace` of a database is told by the operator: it must stay. */}}
{{- define "daap-operator.scrape" -}}
path: /metrics
honorLabels: true
interval: {{ .interval }}
scrapeTimeout: {{ .scrapeTimeout }}
{{- end }}
