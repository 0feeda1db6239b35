{{/* Names, labels, and the parts that pods of every role share. */}}
{{- define "zitadel.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{- define "zitadel.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 50 | trimSuffix "-" -}}
{{- else if contains (include "zitadel.name" .) .Release.Name -}}
{{- .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name (include "zitadel.name" .) | trunc 50 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "zitadel.selector" -}}
app.kubernetes.io/name: {{ include "zitadel.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "zitadel.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{ include "zitadel.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end -}}

{{/* What hooks leave behind and the clean-up job removes. */}}
{{- define "zitadel.leftoverLabels" -}}
{{ include "zitadel.labels" . }}
gatehouse/leftover: "true"
{{- end -}}

{{- define "zitadel.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "zitadel.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{- define "zitadel.image" -}}
{{- with .Values.imageRegistry }}{{ trimSuffix "/" . }}/{{ end -}}
{{ .Values.image.repository }}:{{ default .Chart.AppVersion .Values.image.tag }}
{{- end -}}

{{- define "zitadel.masterkeySecret" -}}
{{- default (printf "%s-masterkey" (include "zitadel.fullname" .)) .Values.zitadel.masterkeySecretName -}}
{{- end -}}

{{/* The configuration tree as it is mounted: the values over what the chart knows better than the program. */}}
{{- define "zitadel.config" -}}
{{- $host := printf "%s-postgresql" (include "zitadel.fullname" .) -}}
{{- $database := dict "Host" $host "AwaitInitialConn" "5m" -}}
{{- if .Values.postgresql.enabled -}}
{{- $auth := .Values.postgresql.auth -}}
{{- $_ := set $database "Database" $auth.database -}}
{{- $_ := set $database "User" (dict "Username" $auth.username) -}}
{{- $_ := set $database "Admin" (dict "Username" $auth.username) -}}
{{- end -}}
{{- $tree := dict "Port" .Values.service.port "Database" (dict "Postgres" $database) -}}
{{- /* Prometheus comes from another pod, directly; what the ingress forwards is not shown to anybody. */ -}}
{{- if .Values.metrics.enabled -}}
{{- $_ := set $tree "Metrics" (dict "Networks" "10.0.0.0/8,100.64.0.0/10,172.16.0.0/12,192.168.0.0/16,fc00::/7") -}}
{{- end -}}
{{- $given := .Values.zitadel.configmapConfig -}}
{{- with include "zitadel.domain" . | trim -}}{{- $_ := set $tree "ExternalDomain" . -}}{{- end -}}
{{- if not (dig "ExternalDomain" "" $given) -}}{{- $given = omit $given "ExternalDomain" -}}{{- end -}}
{{- if and (include "zitadel.workers" .) (dig "Cache" "Enabled" false $given) -}}
{{- $redis := dict "Enabled" true -}}
{{- with dig "Cache" "Config" "Connection" "Addrs" list $given -}}
{{- $_ := set $redis "Addr" (first .) -}}
{{- end -}}
{{- $_ := set $tree "Caches" (dict "Connectors" (dict "Redis" $redis)) -}}
{{- end -}}
{{- mustMergeOverwrite $tree (deepCopy $given) | toYaml -}}
{{- end -}}

{{/* The handbook's Cache.Enabled names the Redis that worker and beat are woken through as well. */}}
{{- define "zitadel.redis" -}}
{{- $config := mustMergeOverwrite (dict) (deepCopy .Values.zitadel.configmapConfig) (deepCopy .Values.zitadel.secretConfig) -}}
{{- if or (dig "Caches" "Connectors" "Redis" "Enabled" false $config) (dig "Cache" "Enabled" false $config) -}}true{{- end -}}
{{- end -}}

{{- define "zitadel.workers" -}}
{{- if kindIs "bool" .Values.worker.enabled -}}
{{- if .Values.worker.enabled -}}true{{- end -}}
{{- else -}}
{{- include "zitadel.redis" . -}}
{{- end -}}
{{- end -}}

{{/* The public host as far as the values tell it: from the configuration, the environment, or the first ingress host. */}}
{{- define "zitadel.domain" -}}
{{- $domain := coalesce (dig "ExternalDomain" "" .Values.zitadel.configmapConfig) (dig "ExternalDomain" "" .Values.zitadel.secretConfig) "" -}}
{{- range .Values.env -}}
{{- if and (eq .name "ZITADEL_EXTERNALDOMAIN") .value -}}{{- $domain = .value -}}{{- end -}}
{{- end -}}
{{- if .Values.ingress.enabled -}}
{{- range .Values.ingress.hosts -}}{{- $domain = coalesce $domain .host "" -}}{{- end -}}
{{- end -}}
{{- $domain | default "" | trim -}}
{{- end -}}

{{/* Whether a Secret may hold the public host: then the chart cannot know it. */}}
{{- define "zitadel.domainInSecret" -}}
{{- $found := or .Values.envVarsSecret .Values.zitadel.configSecretName -}}
{{- range .Values.env -}}
{{- if and (eq .name "ZITADEL_EXTERNALDOMAIN") .valueFrom -}}{{- $found = "true" -}}{{- end -}}
{{- end -}}
{{- if $found -}}true{{- end -}}
{{- end -}}

{{- define "zitadel.tls" -}}
{{- if dig "TLS" "Enabled" false .Values.zitadel.configmapConfig -}}true{{- end -}}
{{- end -}}

{{/* A changed configuration rolls the pods. */}}
{{- define "zitadel.checksums" -}}
checksum/configmap: {{ include "zitadel.config" . | sha256sum }}
checksum/secret: {{ toYaml .Values.zitadel.secretConfig | sha256sum }}
checksum/secret-db-ssl-ca-crt: {{ .Values.zitadel.dbSslCaCrt | sha256sum }}
{{- end -}}

{{- define "zitadel.hasSecretConfig" -}}
{{- if or .Values.zitadel.secretConfig .Values.zitadel.configSecretName -}}true{{- end -}}
{{- end -}}

{{- define "zitadel.configArguments" -}}
- --config
- /config/zitadel-config-yaml
{{- if include "zitadel.hasSecretConfig" . }}
- --config
- /secrets/zitadel-secrets-yaml
{{- end }}
{{- end -}}

{{- define "zitadel.environment" -}}
{{- $z := .Values.zitadel -}}
{{- if ne (default "" .role) "init" }}
- name: ZITADEL_MASTERKEY
  valueFrom:
    secretKeyRef:
      name: {{ include "zitadel.masterkeySecret" . }}
      key: masterkey
{{- end }}
{{- if or $z.dbSslCaCrt $z.dbSslCaCrtSecret }}
- name: ZITADEL_DATABASE_POSTGRES_USER_SSL_ROOTCERT
  value: /db-ssl-ca-crt/ca.crt
- name: ZITADEL_DATABASE_POSTGRES_ADMIN_SSL_ROOTCERT
  value: /db-ssl-ca-crt/ca.crt
{{- end }}
{{- if $z.dbSslUserCrtSecret }}
- name: ZITADEL_DATABASE_POSTGRES_USER_SSL_CERT
  value: /db-ssl-user-crt/tls.crt
- name: ZITADEL_DATABASE_POSTGRES_USER_SSL_KEY
  value: /db-ssl-user-crt/tls.key
{{- end }}
{{- if $z.dbSslAdminCrtSecret }}
- name: ZITADEL_DATABASE_POSTGRES_ADMIN_SSL_CERT
  value: /db-ssl-admin-crt/tls.crt
- name: ZITADEL_DATABASE_POSTGRES_ADMIN_SSL_KEY
  value: /db-ssl-admin-crt/tls.key
{{- end }}
{{- if or $z.serverSslCrtSecret $z.selfSignedCert.enabled }}
- name: ZITADEL_TLS_CERTPATH
  value: /server-ssl-crt/tls.crt
- name: ZITADEL_TLS_KEYPATH
  value: /server-ssl-crt/tls.key
{{- end }}
{{- if .Values.postgresql.enabled }}
{{- range $variable := list "USER" "ADMIN" }}
- name: ZITADEL_DATABASE_POSTGRES_{{ $variable }}_PASSWORD
  valueFrom:
    secretKeyRef:
      name: {{ include "zitadel.fullname" $ }}-postgresql
      key: password
{{- end }}
{{- end }}
{{- with .Values.env }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "zitadel.volumes" -}}
{{- $z := .Values.zitadel -}}
- name: config
  configMap:
    name: {{ include "zitadel.fullname" . }}-config-yaml
    defaultMode: 0440
{{- if $z.configSecretName }}
- name: secrets
  secret:
    secretName: {{ $z.configSecretName }}
    defaultMode: 0440
    items:
      - key: {{ $z.configSecretKey }}
        path: zitadel-secrets-yaml
{{- else if $z.secretConfig }}
- name: secrets
  secret:
    secretName: {{ include "zitadel.fullname" . }}-secrets-yaml
    defaultMode: 0440
{{- end }}
{{- if or $z.dbSslCaCrt $z.dbSslCaCrtSecret }}
- name: db-ssl-ca-crt
  secret:
    secretName: {{ default (printf "%s-db-ssl-ca-crt" (include "zitadel.fullname" .)) $z.dbSslCaCrtSecret }}
    defaultMode: 0440
{{- end }}
{{- with $z.dbSslUserCrtSecret }}
- name: db-ssl-user-crt
  secret:
    secretName: {{ . }}
    defaultMode: 0440
{{- end }}
{{- with $z.dbSslAdminCrtSecret }}
- name: db-ssl-admin-crt
  secret:
    secretName: {{ . }}
    defaultMode: 0440
{{- end }}
{{- if or $z.serverSslCrtSecret $z.selfSignedCert.enabled }}
- name: server-ssl-crt
  secret:
    secretName: {{ default (printf "%s-self-signed-cert" (include "zitadel.fullname" .)) $z.serverSslCrtSecret }}
    defaultMode: 0440
{{- end }}
- name: state
  emptyDir: {}
- name: tmp
  emptyDir: {}
{{- with .Values.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "zitadel.mounts" -}}
{{- $z := .Values.zitadel -}}
- name: config
  mountPath: /config
  readOnly: true
{{- if include "zitadel.hasSecretConfig" . }}
- name: secrets
  mountPath: /secrets
  readOnly: true
{{- end }}
{{- if or $z.dbSslCaCrt $z.dbSslCaCrtSecret }}
- name: db-ssl-ca-crt
  mountPath: /db-ssl-ca-crt
  readOnly: true
{{- end }}
{{- if $z.dbSslUserCrtSecret }}
- name: db-ssl-user-crt
  mountPath: /db-ssl-user-crt
  readOnly: true
{{- end }}
{{- if $z.dbSslAdminCrtSecret }}
- name: db-ssl-admin-crt
  mountPath: /db-ssl-admin-crt
  readOnly: true
{{- end }}
{{- if or $z.serverSslCrtSecret $z.selfSignedCert.enabled }}
- name: server-ssl-crt
  mountPath: /server-ssl-crt
  readOnly: true
{{- end }}
- name: state
  mountPath: /var/lib/gatehouse
- name: tmp
  mountPath: /tmp
{{- with .Values.extraVolumeMounts }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* Image, environment, mounts and rights of a container; `.role` names the role. */}}
{{- define "zitadel.container" -}}
image: {{ include "zitadel.image" . | quote }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
{{- with include "zitadel.environment" . | trim }}
env:
  {{- . | nindent 2 }}
{{- end }}
{{- with .Values.envVarsSecret }}
envFrom:
  - secretRef:
      name: {{ . }}
{{- end }}
securityContext:
  {{- toYaml .Values.securityContext | nindent 2 }}
volumeMounts:
  {{- include "zitadel.mounts" . | nindent 2 }}
{{- end -}}

{{/* What stands around the containers of a pod. */}}
{{- define "zitadel.pod" -}}
serviceAccountName: {{ include "zitadel.serviceAccountName" . }}
automountServiceAccountToken: false
enableServiceLinks: false
{{- with .Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
securityContext:
  {{- toYaml .Values.podSecurityContext | nindent 2 }}
volumes:
  {{- include "zitadel.volumes" . | nindent 2 }}
{{- with .Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.topologySpreadConstraints }}
topologySpreadConstraints:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{- define "zitadel.probe" -}}
httpGet:
  path: {{ .path }}
  port: {{ .root.Values.service.protocol }}
  scheme: {{ ternary "HTTPS" "HTTP" (or (eq (include "zitadel.tls" .root) "true") (eq .root.Values.service.scheme "HTTPS")) }}
  {{- with include "zitadel.domain" .root | trim }}
  httpHeaders:
    - name: Host
      value: {{ . | quote }}
  {{- end }}
initialDelaySeconds: {{ .probe.initialDelaySeconds }}
periodSeconds: {{ .probe.periodSeconds }}
failureThreshold: {{ .probe.failureThreshold }}
timeoutSeconds: 5
{{- end -}}
