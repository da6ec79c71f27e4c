{{/* What the schema leaves to the templates: of a pattern it would say only that the value does not match. */}}
{{- define "daap-operator.checks" -}}
{{- $config := .Values.config }}
{{- $pool := .Values.metadataDatabase.pool }}
{{- $backup := default dict $config.backup }}
{{- $durations := dict
  "config.resyncInterval" $config.resyncInterval
  "config.secretCheckInterval" $config.secretCheckInterval
  "config.leaseDuration" $config.leaseDuration
  "config.backup.spread" $backup.spread
  "metadataDatabase.pool.maxConnectionLifetime" $pool.maxConnectionLifetime
  "metadataDatabase.pool.maxConnectionIdleTime" $pool.maxConnectionIdleTime
}}
{{- range $name, $value := $durations }}
{{- include "daap-operator.check" (list $name $value "^(0|([0-9]+(\\.[0-9]+)?(ms|s|m|h))+)$" "write a duration with its unit, such as 30s, 10m or 1h30m") }}
{{- end }}
{{- include "daap-operator.check" (list "config.backup.store" $backup.store "^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*)?$" "write the name of an ObjectStore, or leave it empty") }}
{{- include "daap-operator.check" (list "config.backup.schedule" $backup.schedule "^(?i:@(hourly|daily|weekly|monthly)|[-*/,0-9a-z]+( [-*/,0-9a-z]+){4})$" "write five fields of cron, as in '30 2 * * *', or one of @hourly, @daily, @weekly and @monthly") }}
{{- $label := "[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?" }}
{{- with .Values.config }}
{{- include "daap-operator.check" (list "config.postgresImage" .postgresImage "^[^{}]+:\\{major\\}[^{}:/]*$" "begin its tag with {major}, as in registry.example/postgresql:{major}-standard-trixie") }}
{{- range $major, $image := .postgresImages }}
{{- include "daap-operator.check" (list "config.postgresImages" $major "^1[4-8]$" "write major versions from 14 to 18, each with its image") }}
{{- include "daap-operator.check" (list (printf "config.postgresImages.%s" $major) $image (printf "^[^{}=,@\\s]+:%s([^0-9{}=,@:/\\s][^{}=,@:/\\s]*)?(@sha256:[0-9a-f]{64})?$" $major) (printf "begin its tag with %s, as in registry.example/postgresql:%s.6-standard-trixie@sha256:…, with all 64 digits of the digest or without it" $major $major)) }}
{{- end }}
{{- include "daap-operator.check" (list "config.clusterDomain" .clusterDomain (printf "^%s(\\.%s)*$" $label $label) "write a DNS domain in lower case without a dot at its beginning or end, such as cluster.local") }}
{{- end }}
{{- include "daap-operator.check" (list "image.digest" .Values.image.digest "^(sha256:[0-9a-f]{64})?$" "write sha256: and 64 hexadecimal digits, or leave it empty") }}
{{- end }}

{{/* A name, its value, the pattern to match, and what to do when it does not. A value that is not there is the operator's default. */}}
{{- define "daap-operator.check" -}}
{{- $value := index . 1 }}
{{- if not (or (kindIs "invalid" $value) (regexMatch (index . 2) (toString $value))) }}
{{- fail (printf "%s is '%v': %s" (index . 0) $value (index . 3)) }}
{{- end }}
{{- end }}
