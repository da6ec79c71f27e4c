{{/* The operator's settings but for the metadata database's address. */}}
{{- define "daap-operator.env" -}}
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
- name: DAAP_LEASE_NAME
  value: {{ include "daap-operator.fullname" . }}
- name: DAAP_LEASE_NAMESPACE
  valueFrom:
    fieldRef: {fieldPath: metadata.namespace}
- name: DAAP_HEALTH_PORT
  value: "8080"
{{- with .Values.watchNamespaces }}
- name: DAAP_WATCH_NAMESPACES
  value: {{ join "," . | quote }}
{{- end }}
{{- if eq .Values.migrations.mode "hook" }}
- name: DAAP_MIGRATION_JOB
  value: $(DAAP_LEASE_NAMESPACE)/{{ include "daap-operator.migrationJobName" . }}
{{- end }}
{{- range $name, $value := .Values.config }}
- name: DAAP_{{ $name | snakecase | upper }}
  value: {{ $value | quote }}
{{- end }}
{{- with .Values.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end }}
