{{/* What every pod of the chart has in common. */}}
{{- define "daap-operator.pod" -}}
{{- with .Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
enableServiceLinks: false
securityContext:
  {{- toYaml .Values.podSecurityContext | nindent 2 }}
{{- with .Values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* What every container of the chart has in common. */}}
{{- define "daap-operator.container" -}}
image: {{ include "daap-operator.image" . | quote }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
securityContext:
  {{- toYaml .Values.containerSecurityContext | nindent 2 }}
{{- end }}

{{/* How to reach the metadata database. libpq reads the PG… variables where the URL is silent. */}}
{{- define "daap-operator.databaseEnv" -}}
{{- $tls := .Values.metadataDatabase.tls }}
{{- $authority := or $tls.caSecret.name $tls.caConfigMap.name }}
- name: DATABASE_URL
  valueFrom:
    secretKeyRef:
      name: {{ required "metadataDatabase.existingSecret.name is empty: name the Secret with the metadata database's URL" .Values.metadataDatabase.existingSecret.name }}
      key: {{ .Values.metadataDatabase.existingSecret.key }}
{{- with default (ternary "verify-full" "" (not (empty $authority))) $tls.mode }}
- name: PGSSLMODE
  value: {{ . }}
{{- end }}
{{- if $authority }}
- name: PGSSLROOTCERT
  value: /etc/daap/metadata/ca/ca.crt
{{- end }}
{{- if $tls.clientSecret.name }}
- name: PGSSLCERT
  value: /etc/daap/metadata/client/tls.crt
- name: PGSSLKEY
  value: /etc/daap/metadata/client/tls.key
{{- end }}
{{- end }}

{{- define "daap-operator.databaseMounts" -}}
{{- $tls := .Values.metadataDatabase.tls }}
{{- if or $tls.caSecret.name $tls.caConfigMap.name }}
- name: metadata-ca
  mountPath: /etc/daap/metadata/ca
  readOnly: true
{{- end }}
{{- if $tls.clientSecret.name }}
- name: metadata-client
  mountPath: /etc/daap/metadata/client
  readOnly: true
{{- end }}
{{- end }}

{{- define "daap-operator.databaseVolumes" -}}
{{- $tls := .Values.metadataDatabase.tls }}
{{- if and $tls.caSecret.name $tls.caConfigMap.name }}
{{- fail (printf "metadataDatabase.tls.caSecret.name='%s' and metadataDatabase.tls.caConfigMap.name='%s': set only one of them" $tls.caSecret.name $tls.caConfigMap.name) }}
{{- end }}
{{- with $tls.caSecret }}
{{- if .name }}
- name: metadata-ca
  secret:
    secretName: {{ .name }}
    items: [{key: {{ .key }}, path: ca.crt}]
{{- end }}
{{- end }}
{{- with $tls.caConfigMap }}
{{- if .name }}
- name: metadata-ca
  configMap:
    name: {{ .name }}
    items: [{key: {{ .key }}, path: ca.crt}]
{{- end }}
{{- end }}
{{- with $tls.clientSecret.name }}
- name: metadata-client
  secret:
    secretName: {{ . }}
    defaultMode: 0440 # libpq refuses a key that others may read
{{- end }}
{{- end }}
