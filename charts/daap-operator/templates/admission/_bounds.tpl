{{/* What binds the operator's own user (operator.yaml). RBAC cannot ask what an object says; these expressions do. */}}

{{/* The values, with the defaults that a release upgraded with --reuse-values lacks. */}}
{{- define "daap-operator.bounds.values" -}}
{{- $given := dig "operatorBounds" dict .Values.admission }}
{{- dict
  "enabled" (dig "enabled" true $given)
  "allowedNamespaces" (dig "allowedNamespaces" list $given)
  "extraClusterFields" (dig "extraClusterFields" list $given)
  "extraPoolerFields" (dig "extraPoolerFields" list $given)
  | toJson }}
{{- end }}

{{- define "daap-operator.bounds.only" -}}
- name: the-operator
  expression: request.userInfo.username == {{ include "daap-operator.admission.operator" . | toJson }}
{{- end }}

{{/* Whether something may be created in a namespace: not in Kubernetes' own, nor in the operator's but for the database of
`helm test`, unless the values name it. */}}
{{- define "daap-operator.bounds.place" -}}
{{- $place := default (first (append .Values.watchNamespaces .Release.Namespace)) .Values.test.namespace }}
{{- $named := concat .Values.watchNamespaces (include "daap-operator.bounds.values" . | fromJson).allowedNamespaces -}}
request.operation != 'CREATE'
|| !(request.namespace.startsWith('kube-') || request.namespace == {{ toJson .Release.Namespace }})
{{- if $named }}
|| request.namespace in {{ toJson $named }}
{{- end }}
{{- if and .Values.test.enabled (eq .Release.Namespace $place) }}
|| request.namespace == {{ toJson .Release.Namespace }}
&& object.metadata.?labels['daap.io/database'].orValue('') == {{ printf "%s-test" (include "daap-operator.fullname" .) | toJson }}
{{- end }}
{{- end }}

{{- define "daap-operator.bounds.placeMessage" -}}
variables.what + ' would be in a namespace where the operator creates nothing but its Lease: ask for the database in another one, or add \''
+ request.namespace + '\' to the value admission.operatorBounds.allowedNamespaces of the chart'
{{- end }}

{{/* Whose an object is, as the operator itself tells it: by its labels, or by an owner reference. */}}
{{- define "daap-operator.bounds.ownership" -}}
- name: what
  expression: >-
    request.kind.kind + ' ' + request.namespace + '/' + request.name
- name: labelled
  expression: >-
    request.operation == 'DELETE'
    || object.metadata.?labels['app.kubernetes.io/managed-by'].orValue('') == 'daap-operator'
    && object.metadata.?labels['daap.io/database-uid'].orValue('') != ''
    || request.operation == 'UPDATE' && object.metadata.?labels == oldObject.metadata.?labels
- name: its
  expression: >-
    request.operation == 'CREATE'
    || oldObject.metadata.?labels['app.kubernetes.io/managed-by'].orValue('') == 'daap-operator'
    && oldObject.metadata.?labels['daap.io/database-uid'].orValue('') != ''
    || oldObject.metadata.?ownerReferences.orValue([]).exists(o, o.kind == 'DaapDatabase' && o.apiVersion.startsWith('daap.io/'))
{{- end }}

{{- define "daap-operator.bounds.ownershipChecks" -}}
- expression: >-
    {{- include "daap-operator.bounds.place" . | nindent 4 }}
  messageExpression: >-
    {{- include "daap-operator.bounds.placeMessage" . | nindent 4 }}
  reason: Forbidden
- expression: variables.its && variables.labelled
  messageExpression: >-
    variables.what + ' is not a DaapDatabase\'s, and the operator writes no other: it must have the labels daap.io/database-uid and '
    + 'app.kubernetes.io/managed-by \'daap-operator\', before and after'
  reason: Forbidden
{{- end }}

{{/* What of a spec the operator would set, change or remove although it is not its own: a list of paths, the variable
`beyond`. Given a list: the keys of the spec that the values add, whatever is in them, and a dict of paths below the spec (empty: the
spec itself) to the keys there that are the operator's. What others have set may stay as it is, so that an object is still repaired. */}}
{{- define "daap-operator.bounds.beyond" -}}
- name: spec
  expression: "request.operation == 'DELETE' ? dyn({}) : dyn(object.spec)"
- name: was
  expression: "request.operation == 'UPDATE' ? dyn(oldObject.spec) : dyn({})"
{{- $all := list }}
{{- $extra := first . }}
{{- range $path, $keys := last . }}
{{- $name := replace "." "_" $path | default "top" }}
{{- $at := "" }}
{{- range splitList "." $path }}{{ if . }}{{ $at = printf "%s.?%s" $at . }}{{ end }}{{ end }}
{{- $at = ternary (printf "%s.orValue({})" $at) "" (ne $at "") }}
- name: new_{{ $name }}
  expression: dyn(variables.spec{{ $at }})
- name: old_{{ $name }}
  expression: dyn(variables.was{{ $at }})
{{- if not (has (first (splitList "." $path)) $extra) }}
{{- $all = append $all (printf "variables.beyond_%s" $name) }}
- name: beyond_{{ $name }}
  expression: >-
    (variables.new_{{ $name }}.filter(k, !(k in {{ toJson $keys }})
    && !(k in variables.old_{{ $name }} && variables.old_{{ $name }}[k] == variables.new_{{ $name }}[k]))
    + variables.old_{{ $name }}.filter(k, !(k in {{ toJson $keys }}) && !(k in variables.new_{{ $name }})))
    .map(k, {{ printf "spec.%s" (ternary (printf "%s." $path) "" (ne $path "")) | squote }} + string(k))
{{- end }}
{{- end }}
- name: beyond
  expression: >-
    {{ join "\n    + " $all }}
{{- end }}

{{- define "daap-operator.bounds.beyondMessage" -}}
variables.what + ': ' + variables.beyond[0].replace('\n', ' ') + ' is not the operator\'s to set, change or remove. If CloudNativePG or a webhook '
+ 'of the platform sets it, add it to the value admission.operatorBounds.{{ . }} of the chart; otherwise find out who acts '
+ 'with the operator\'s account'
{{- end }}

{{/* CloudNativePG's annotations turn a Cluster into anything (cnpg.io/podPatch): the paths of those that the operator changes. */}}
{{- define "daap-operator.bounds.annotations" -}}
request.operation == 'DELETE' ? [] :
dyn(object.metadata.?annotations.orValue({})).filter(k, k.contains('cnpg.io/')
&& !(request.operation == 'UPDATE' && k in oldObject.metadata.?annotations.orValue({}) && oldObject.metadata.annotations[k] == object.metadata.annotations[k]))
+ (request.operation == 'UPDATE' ? dyn(oldObject.metadata.?annotations.orValue({})) : dyn({})).filter(k, k.contains('cnpg.io/')
&& !(k in object.metadata.?annotations.orValue({})))
{{- end }}

{{- define "daap-operator.bounds.annotationsCheck" -}}
- expression: variables.annotations.size() == 0
  messageExpression: >-
    variables.what + ': the annotation ' + string(variables.annotations[0]) + ' is not the operator\'s to set, change or remove: '
    + 'find out who acts with the operator\'s account'
  reason: Forbidden
{{- end }}
