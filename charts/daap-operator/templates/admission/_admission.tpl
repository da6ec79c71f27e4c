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

{{/* Whether an ownerTeam is not the namespace's, and what is said then. Both ownership policies may refuse one
request, and the API server reports either: whichever it is names the remedy that helps. */}}
{{- define "daap-operator.admission.misplaced" -}}
- name: owner
  expression: string(object.?spec.?ownerTeam.orValue(''))
- name: team
  expression: namespaceObject.metadata.?labels['daap.io/team'].orValue('')
- name: unchanged
  expression: request.operation == 'UPDATE' && object.?spec.?ownerTeam == oldObject.?spec.?ownerTeam
- name: misplaced
  expression: >-
    request.operation != 'DELETE' && !variables.unchanged && variables.team != '' && variables.owner != variables.team
{{- end }}

{{- define "daap-operator.admission.misplacedMessage" -}}
'DaapDatabase ' + object.metadata.namespace + '/' + object.metadata.name + ': spec.ownerTeam is \''
+ variables.owner + '\', but the namespace belongs to the team \'' + variables.team
+ '\' (its label daap.io/team): set spec.ownerTeam to \'' + variables.team
+ '\', or use a namespace of the team \'' + variables.owner + '\''
{{- end }}

{{/* The kinds that name a database of their namespace, and where in their spec: whoever may create one acts on that database. */}}
{{- define "daap-operator.admission.references" -}}
{{- dict
  "daapbackups" "databaseRef.name"
  "daapdrills" "databaseRef.name"
  "daaprestores" "databaseRef.name"
  "daapschemas" "databaseRef.name"
  | toJson }}
{{- end }}
