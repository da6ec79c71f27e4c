{{/* Waits for PostgreSQL, then migrates: both in the Job and in front of the operator. */}}
{{- define "daap-operator.waitContainer" -}}
- name: wait-for-postgresql
  args: [migrate, wait, --wait={{ .Values.migrations.waitSeconds }}]
  {{- include "daap-operator.migrationContainer" . | nindent 2 }}
{{- end }}

{{- define "daap-operator.migrateContainer" -}}
- name: migrate
  args: [migrate, --wait={{ .Values.migrations.waitSeconds }}]
  {{- include "daap-operator.migrationContainer" . | nindent 2 }}
{{- end }}

{{- define "daap-operator.migrationContainer" -}}
{{ include "daap-operator.container" . }}
env:
  {{- include "daap-operator.databaseEnv" . | nindent 2 }}
resources:
  {{- toYaml .Values.migrations.resources | nindent 2 }}
{{- with include "daap-operator.databaseMounts" . }}
volumeMounts:
  {{- . | nindent 2 }}
{{- end }}
{{- end }}

{{/* The Job's spec without its name, which is made from it. */}}
{{- define "daap-operator.migrationSpec" -}}
backoffLimit: {{ .Values.migrations.backoffLimit }}
activeDeadlineSeconds: {{ .Values.migrations.activeDeadlineSeconds }}
ttlSecondsAfterFinished: {{ .Values.migrations.ttlSecondsAfterFinished }}
template:
  metadata:
    labels:
      {{- include "daap-operator.labels" . | nindent 6 }}
      app.kubernetes.io/component: migration
  spec:
    {{- include "daap-operator.pod" . | nindent 4 }}
    # The default ServiceAccount without its token: before an install there is no other one yet
    automountServiceAccountToken: false
    restartPolicy: Never
    initContainers:
      {{- include "daap-operator.waitContainer" . | nindent 6 }}
    containers:
      {{- include "daap-operator.migrateContainer" . | nindent 6 }}
    {{- with include "daap-operator.databaseVolumes" . }}
    volumes:
      {{- . | nindent 6 }}
    {{- end }}
{{- end }}

{{/* A Job cannot be changed: another spec (the image is in it) or other migrations are another Job. */}}
{{- define "daap-operator.migrationJobName" -}}
{{- $made := printf "%s\n%s" (include "daap-operator.migrationSpec" .) (.Files.Get "files/migrations.sha256") }}
{{- printf "%s-migrate-%s" (include "daap-operator.fullname" .) (sha256sum $made | trunc 10) }}
{{- end }}
