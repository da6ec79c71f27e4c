{{/* The operator's settings but for the metadata database's address. */}}
{{- define "daap-operator.env" -}}
{{- include "daap-operator.checks" . }}
{{- with .Values.metadataDatabase.pool -}}
- name: DB_MAX_CONNS
  value: {{ .maxConnections | quote }}
- name: DB_MIN_CONNS
  value: {{ .minConnections | quote }}
- name: DB_MAX_CONN_LIFETIME
  value: {{ .maxConnectionLifetime | quote }}
- name: DB_MAX_CONN_IDLE_TIME
  value: {{ .maxConnectionIdleTime | quote }}
{{- end }}
# A container that is started again in its pod goes on at once as the leader it was
- name: DAAP_IDENTITY
  valueFrom:
    fieldRef: {fieldPath: metadata.uid}
# What is kept of objects has a part of it; without a limit it is the node's memory
- name: DAAP_MEMORY_LIMIT
  valueFrom:
    resourceFieldRef: {resource: limits.memory}
- name: DAAP_LEASE_NAME
  value: {{ include "daap-operator.fullname" . }}
- name: DAAP_LEASE_NAMESPACE
  valueFrom:
    fieldRef: {fieldPath: metadata.namespace}
- name: DAAP_HEALTH_PORT
  value: "8080"
- name: DAAP_METRICS_PORT
  value: "9090"
- name: DAAP_METRICS_AUTHENTICATION
  value: {{ include "daap-operator.metricsAuthentication" . }}
{{- if include "daap-operator.metricsTLS" . }}
- name: DAAP_METRICS_TLS_DIRECTORY
  value: /etc/daap/metrics
{{- end }}
{{- with .Values.watchNamespaces }}
- name: DAAP_WATCH_NAMESPACES
  value: {{ join "," . | quote }}
{{- end }}
{{- if eq .Values.migrations.mode "hook" }}
- name: DAAP_MIGRATION_JOB
  value: $(DAAP_LEASE_NAMESPACE)/{{ include "daap-operator.migrationJobName" . }}
{{- end }}
{{- with .Values.config }}
{{- $offer := include "daap-operator.postgresVersions" $ }}
{{- if not (has (toString .defaultPostgresVersion) (splitList ", " $offer)) }}
{{- fail (printf "config.defaultPostgresVersion is %v, which is not in config.postgresVersions [%s]: add it there, or choose one of these" .defaultPostgresVersion $offer) }}
{{- end }}
{{- end }}
- name: DAAP_DRILL_IMAGE
  value: {{ include "daap-operator.image" . | quote }}
{{- range $part := list "backup" "restore" "drill" "schema" }}
{{- range $name, $value := default dict (get $.Values.config $part) }}
- name: DAAP_{{ upper $part }}_{{ $name | snakecase | upper }}
  value: {{ ternary (join "," $value) $value (kindIs "slice" $value) | quote }}
{{- end }}
{{- end }}
{{- range $name, $value := omit .Values.config "postgresImages" "backup" "restore" "drill" "schema" }}
- name: DAAP_{{ $name | snakecase | upper }}
  value: {{ ternary (include "daap-operator.postgresVersions" $ | nospace) $value (kindIs "slice" $value) | quote }}
{{- end }}
{{- with .Values.config.postgresImages }}
{{- $images := list }}
{{- range $major, $image := . }}{{ $images = append $images (printf "%s=%s" $major $image) }}{{ end }}
- name: DAAP_POSTGRES_IMAGES
  value: {{ join "," $images | quote }}
{{- end }}
{{- with .Values.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* After `helm upgrade --reuse-values` from a chart that did not know `metrics` there is none: the defaults hold then. */}}
{{- define "daap-operator.metricsAuthentication" -}}
{{- dig "authentication" "kubernetes" (default dict .Values.metrics) }}
{{- end }}

{{- define "daap-operator.metricsTLS" -}}
{{- dig "tls" "secretName" "" (default dict .Values.metrics) }}
{{- end }}

{{- define "daap-operator.mounts" -}}
{{- include "daap-operator.databaseMounts" . }}
{{- if include "daap-operator.metricsTLS" . }}
- name: metrics-tls
  mountPath: /etc/daap/metrics
  readOnly: true
{{- end }}
{{- end }}

{{- define "daap-operator.volumes" -}}
{{- include "daap-operator.databaseVolumes" . }}
{{- with include "daap-operator.metricsTLS" . }}
- name: metrics-tls
  secret:
    secretName: {{ . }}
    defaultMode: 0440
{{- end }}
{{- end }}

{{/* The major versions on offer, as `15, 16, 17`. After `helm upgrade --reuse-values` from a chart that did not know
the value there is none: the operator's own default holds then. */}}
{{- define "daap-operator.postgresVersions" -}}
{{- range $at, $major := default (list 15 16 17 18) .Values.config.postgresVersions }}{{ if $at }}, {{ end }}{{ int $major }}{{ end }}
{{- end }}
