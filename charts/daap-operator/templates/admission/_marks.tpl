{{/* What a request changes of the marks by which the operator knows its own; a new object has had none. */}}
{{- define "daap-operator.admission.marks.variables" -}}
- name: oldLabels
  expression: "request.operation == 'CREATE' ? {} : oldObject.metadata.?labels.orValue({})"
- name: newLabels
  expression: object.metadata.?labels.orValue({})
- name: oldAnnotations
  expression: "request.operation == 'CREATE' ? {} : oldObject.metadata.?annotations.orValue({})"
- name: newAnnotations
  expression: object.metadata.?annotations.orValue({})
- name: oldOwners
  expression: >-
    request.operation == 'CREATE' ? [] :
    oldObject.metadata.?ownerReferences.orValue([]).filter(r, r.apiVersion.startsWith('daap.io/'))
    .map(r, r.kind + '/' + r.name + '/' + r.uid)
- name: newOwners
  expression: >-
    object.metadata.?ownerReferences.orValue([]).filter(r, r.apiVersion.startsWith('daap.io/'))
    .map(r, r.kind + '/' + r.name + '/' + r.uid)
- name: labels
  expression: >-
    (variables.oldLabels.map(k, k) + variables.newLabels.map(k, k)).filter(k,
    variables.oldLabels[?k] != variables.newLabels[?k] && (k.startsWith('daap.io/') ||
    (k == 'app.kubernetes.io/managed-by' &&
    'daap-operator' in [variables.oldLabels[?k].orValue(''), variables.newLabels[?k].orValue('')])))
- name: annotations
  expression: >-
    (variables.oldAnnotations.map(k, k) + variables.newAnnotations.map(k, k)).filter(k,
    k.startsWith('daap.io/') && variables.oldAnnotations[?k] != variables.newAnnotations[?k])
- name: changed
  expression: >-
    variables.labels.map(k, 'metadata.labels[\'' + k + '\']')
    + variables.annotations.map(k, 'metadata.annotations[\'' + k + '\']')
    + (variables.oldOwners == variables.newOwners ? [] : ['metadata.ownerReferences (of a DaapDatabase)'])
{{- end }}

{{- define "daap-operator.admission.marks.validations" -}}
- expression: >-
    variables.changed.size() == 0 || {{ include "daap-operator.admission.administers" . }}
  messageExpression: >-
    {{ .what }} + ' ' + request.namespace + '/' + object.metadata.name + ': '
    + variables.changed[0] + ' is how the operator knows what belongs to a database, and only the operator '
    + (request.operation == 'CREATE' ? 'sets it: leave it out' : 'changes it: change the DaapDatabase instead')
    + ', or have the platform team do it, who may \'administer\' daapdatabases'
  reason: Forbidden
{{- end }}
