"""The chart, rendered by Helm's own engine; every object is validated strictly (`rendered`)."""

import functools
import http.server
import json
import os
import ssl
import subprocess
import sys
import threading
from urllib.parse import parse_qs, urlsplit

import helm_python
import pytest
import yaml
from cryptography.x509 import load_pem_x509_certificate

from iam.settings.sources import read
from tests.deploy.support import (
    CHART,
    DEPLOY,
    MASTER,
    Authority,
    clean_environment,
    container,
    handbook,
    handbook_values,
    hooks,
    names,
    one_of,
    rendered,
    valid,
)

SETS = (
    f"zitadel.masterkey={MASTER},zitadel.configmapConfig.ExternalDomain=auth.example.com,"
    "zitadel.configmapConfig.ExternalPort=443,zitadel.configmapConfig.TLS.Enabled=false"
)
EVERYTHING = {
    "imageRegistry": "registry.example.com",
    "imagePullSecrets": [{"name": "pull"}],
    "zitadel": {
        "masterkeySecretName": "my-masterkey",
        "configSecretName": "my-config",
        "dbSslCaCrtSecret": "my-ca",
        "dbSslUserCrtSecret": "my-user-crt",
        "dbSslAdminCrtSecret": "my-admin-crt",
        "serverSslCrtSecret": "my-server-crt",
        "autoscaling": {
            "enabled": True,
            "targetMemory": 80,
            "behavior": {"scaleDown": {"stabilizationWindowSeconds": 60}},
        },
        "configmapConfig": {
            "ExternalDomain": "auth.example.com",
            "TLS": {"Enabled": True},
            "Database": {"Postgres": {"Host": "postgres"}},
            "Caches": {"Connectors": {"Redis": {"Enabled": True, "Addr": "redis:6379"}}},
        },
        "initContainers": [{"name": "before", "image": "busybox", "command": ["true"]}],
        "extraContainers": [{"name": "beside", "image": "busybox", "command": ["sleep", "1d"]}],
    },
    "worker": {"replicaCount": 2, "concurrency": 4},
    "ingress": {
        "enabled": True,
        "controller": "nginx",
        "className": "nginx",
        "annotations": {"cert-manager.io/cluster-issuer": "letsencrypt"},
        "tls": [{"secretName": "zitadel-tls", "hosts": ["auth.example.com"]}],
    },
    "networkPolicy": {
        "enabled": True,
        "ingressFrom": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "ingress-nginx"}}}],
        "egress": [{"ports": [{"port": 5432}]}, {"ports": [{"port": 6379}]}],
    },
    "pdb": {"enabled": True, "minAvailable": 2},
    "metrics": {"enabled": True, "serviceMonitor": {"enabled": True, "additionalLabels": {"release": "prometheus"}}},
    "env": [{"name": "ZITADEL_LOG_LEVEL", "value": "debug"}],
    "envVarsSecret": "my-variables",
    "extraVolumes": [{"name": "more", "emptyDir": {}}],
    "extraVolumeMounts": [{"name": "more", "mountPath": "/more"}],
    "extraManifests": [{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "{{ .Release.Name }}-more"}}],
    "nodeSelector": {"kubernetes.io/os": "linux"},
    "tolerations": [{"key": "dedicated", "operator": "Exists"}],
    "topologySpreadConstraints": [
        {"maxSkew": 1, "topologyKey": "kubernetes.io/hostname", "whenUnsatisfiable": "ScheduleAnyway"}
    ],
    "postgresql": {"enabled": True, "auth": {"password": "zitadel"}},
    "login": {"enabled": False},
}


@pytest.fixture(scope="module")
def installed():
    """The objects of the handbook's `helm install … --values values.yaml`."""
    return rendered(handbook_values(masterkey=MASTER))


@pytest.fixture(scope="module")
def complete():
    """Everything that the chart can do, at once."""
    return rendered(EVERYTHING)


def config_of(objects):
    """What the program makes of the mounted files."""
    return yaml.safe_load(one_of(objects, "ConfigMap", "zitadel-config-yaml")["data"]["zitadel-config-yaml"])


def test_the_kept_values_are_those_of_the_handbook():
    kept = (CHART / "examples" / "handbook-values.yaml").read_text()
    assert kept.strip() in handbook()
    assert "--set zitadel.configmapConfig.TLS.Enabled=false" in handbook()


def test_row_06_the_handbooks_values_install_every_phase(installed):
    expected = {
        *("Job/zitadel-init", "Job/zitadel-setup", "Deployment/zitadel", "Deployment/zitadel-worker"),
        *("Deployment/zitadel-beat", "Service/zitadel", "Ingress/zitadel", "Secret/zitadel-masterkey"),
        *("Secret/zitadel-secrets-yaml", "ConfigMap/zitadel-config-yaml"),
    }
    assert expected <= names(installed)
    assert one_of(installed, "Deployment", "zitadel")["spec"]["replicas"] == 3
    assert one_of(installed, "Secret", "zitadel-masterkey")["stringData"] == {"masterkey": MASTER}


def test_row_06_the_program_understands_the_rendered_configuration(installed, tmp_path):
    files = []
    for kind, name, key, field in (
        ("ConfigMap", "zitadel-config-yaml", "zitadel-config-yaml", "data"),
        ("Secret", "zitadel-secrets-yaml", "zitadel-secrets-yaml", "stringData"),
    ):
        (tmp_path / key).write_text(one_of(installed, kind, name)[field][key])
        files += ["--config", str(tmp_path / key)]
    config, warnings = read(files, {"ZITADEL_DATABASE_POSTGRES_USER_PASSWORD": "from a Secret"})
    assert warnings == []
    assert (config.ExternalDomain, config.ExternalPort, config.ExternalSecure, config.TLS.Enabled) == (
        *("auth.example.com", 443, True, False),
    )
    postgres = config.Database.Postgres
    assert (postgres.Host, postgres.User.SSL.Mode) == ("postgres-ha.zitadel.svc.cluster.local", "verify-full")
    assert (postgres.User.Username, postgres.User.Password) == ("zitadel", "from a Secret")
    redis = config.Caches.Connectors.Redis
    assert (redis.Enabled, redis.Addr) == (True, "redis.zitadel.svc.cluster.local:6379")
    assert {one.Connector for one in (config.Caches.Memberships, config.Caches.Organization, config.Caches.OIDC)} == {
        "redis"
    }


def test_row_06_secrets_may_exist_already():
    objects = rendered(handbook_values(masterkeySecretName="mine", configSecretName="my-config"))
    assert not {"Secret/zitadel-masterkey", "Secret/zitadel-secrets-yaml"} & names(objects)
    web = one_of(objects, "Deployment", "zitadel")
    reference = {"name": "mine", "key": "masterkey"}
    assert {"name": "ZITADEL_MASTERKEY", "valueFrom": {"secretKeyRef": reference}} in container(web)["env"]
    volumes = {one["name"]: one for one in web["spec"]["template"]["spec"]["volumes"]}
    assert volumes["secrets"]["secret"]["secretName"] == "my-config"
    assert volumes["secrets"]["secret"]["items"] == [{"key": "config-yaml", "path": "zitadel-secrets-yaml"}]


def test_row_07_the_form_with_set_installs_the_same_phases():
    objects = rendered(helm_python.parse_set_string(SETS))
    assert {"Job/zitadel-init", "Job/zitadel-setup", "Deployment/zitadel", "Service/zitadel"} <= names(objects)
    config = config_of(objects)
    assert (config["ExternalDomain"], config["ExternalPort"], config["ExternalSecure"]) == (
        "auth.example.com",
        443,
        True,
    )
    assert config["Database"]["Postgres"]["Host"] == "zitadel-postgresql"
    assert "Deployment/zitadel-worker" not in names(objects)  # no Redis: web processes follow the log


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({}, "zitadel.masterkey"),
        ({"masterkey": "short"}, "5 characters"),
        ({"masterkey": MASTER, "masterkeySecretName": "mine"}, "not both"),
        ({"masterkey": MASTER, "configmapConfig": {"ExternalPort": 443}}, "ExternalDomain"),
        ({"masterkey": MASTER, "dbSslCaCrt": "pem", "dbSslCaCrtSecret": "mine"}, "not both"),
    ],
)
def test_row_06_what_cannot_work_is_refused_with_a_sentence(change, says):
    with pytest.raises(helm_python.HelmError, match=says):
        rendered(handbook_values(**change) | {"ingress": {"enabled": False}})


ENV = "ZITADEL_EXTERNALDOMAIN"
NO_DOMAIN = {"masterkey": MASTER, "configmapConfig": {"ExternalPort": 443}}
IN_SECRET = {"name": ENV, "valueFrom": {"secretKeyRef": {"name": "mine", "key": "domain"}}}
PATHS = [{"path": "/", "pathType": "Prefix"}]


@pytest.mark.parametrize(
    ("more", "host"),
    [
        ({"env": [{"name": ENV, "value": "auth.example.com"}]}, "auth.example.com"),
        ({"env": [IN_SECRET]}, None),
        ({"envVarsSecret": "mine"}, None),
        ({"zitadel": {**NO_DOMAIN, "configSecretName": "mine"}}, None),
        ({"zitadel": {**NO_DOMAIN, "secretConfig": {"ExternalDomain": "auth.example.com"}}}, "auth.example.com"),
        ({"ingress": {"enabled": True, "hosts": [{"host": "auth.example.com", "paths": PATHS}]}}, "auth.example.com"),
    ],
)
def test_the_domain_may_come_from_elsewhere(more, host):
    """From the environment, a Secret, or the host of the ingress; probes ask for it where the chart can know it."""
    objects = rendered(handbook_values(**NO_DOMAIN) | {"ingress": {"enabled": False}} | more)
    probes = [
        container[kind]["httpGet"]
        for one in objects
        if one["kind"] == "Deployment"
        for container in one["spec"]["template"]["spec"]["containers"]
        for kind in ("readinessProbe", "livenessProbe", "startupProbe")
        if kind in container
    ]
    assert probes
    for probe in probes:
        asked = [header["value"] for header in probe.get("httpHeaders", []) if header["name"] == "Host"]
        assert asked == ([host] if host else [])
    config = next(one for one in objects if one["kind"] == "ConfigMap" and "zitadel-config-yaml" in one["data"])
    assert yaml.safe_load(config["data"]["zitadel-config-yaml"]).get("ExternalDomain") == host


def test_an_ingress_without_a_host_names_no_domain():
    more = {"ingress": {"enabled": True, "hosts": [{"host": "", "paths": PATHS}]}}
    with pytest.raises(helm_python.HelmError, match="ExternalDomain"):
        rendered(handbook_values(**NO_DOMAIN) | more)


@pytest.mark.parametrize(
    "values",
    [
        {"replicas": 3},
        {"zitadel": {"masterKey": MASTER}},
        {"replicaCount": "three"},
        {"ingress": {"hosts": []}},
        {"zitadel": {"configmapConfig": {"ExternalDomain": "https://auth.example.com"}}},
    ],
)
def test_the_schema_refuses_what_the_chart_does_not_know(values):
    with pytest.raises(helm_python.HelmError):
        rendered(handbook_values(masterkey=MASTER) | values)


def test_the_schema_needs_nothing_from_elsewhere():
    schema = json.loads((CHART / "values.schema.json").read_text())
    references = [line for line in json.dumps(schema, indent=0).splitlines() if '"$ref"' in line]
    assert references and all('"#/$defs/' in line for line in references)
    assert set(schema["properties"]) == set(yaml.safe_load((CHART / "values.yaml").read_text())) | {"global", "login"}


def test_lint_finds_nothing():
    found = helm_python.lint(CHART, handbook_values(masterkey=MASTER), strict=True, kube_version="v1.30.0")
    assert found["errors"] == []
    assert [one for one in found["messages"] if one["severity"] > 1] == []


def test_row_10_phases_run_in_order(installed):
    order = hooks(installed, "pre-install")
    assert order[-2:] == ["Job/zitadel-init", "Job/zitadel-setup"]
    assert hooks(installed, "pre-upgrade")[-2:] == ["Job/zitadel-init", "Job/zitadel-setup"]
    assert container(one_of(installed, "Job", "zitadel-init"))["args"][0] == "init"
    assert container(one_of(installed, "Job", "zitadel-setup"))["args"][0] == "setup"
    assert container(one_of(installed, "Deployment", "zitadel"))["args"][0] == "start"
    assert "ZITADEL_MASTERKEY" not in json.dumps(one_of(installed, "Job", "zitadel-init"))


def test_row_10_the_rendered_command_lines_are_known_to_the_program(installed, tmp_path):
    environment = clean_environment(ZITADEL_MASTERKEY=MASTER, GATEHOUSE_VAR=str(tmp_path))
    for kind, name in (("Job", "zitadel-init"), ("Job", "zitadel-setup"), ("Deployment", "zitadel-beat")):
        flags = container(one_of(installed, kind, name))["args"]
        done = subprocess.run(
            [sys.executable, "manage.py", *flags, "--help"],
            check=False,
            cwd=DEPLOY.parent,
            env=environment,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr


def test_row_20_tls_ends_at_the_ingress(installed):
    ingress = one_of(installed, "Ingress", "zitadel")["spec"]
    assert ingress["ingressClassName"] == "nginx"
    assert ingress["tls"] == [{"secretName": "zitadel-tls", "hosts": ["auth.example.com"]}]
    (rule,) = ingress["rules"]
    assert rule["host"] == "auth.example.com"
    assert rule["http"]["paths"][0]["backend"] == {"service": {"name": "zitadel", "port": {"number": 8080}}}
    probe = container(one_of(installed, "Deployment", "zitadel"))["readinessProbe"]["httpGet"]
    assert probe["scheme"] == "HTTP"


def test_row_20_ingress_nginx_gets_an_ingress_for_grpc(complete):
    web, grpc = one_of(complete, "Ingress", "zitadel"), one_of(complete, "Ingress", "zitadel-grpc")
    protocol = "nginx.ingress.kubernetes.io/backend-protocol"
    assert web["metadata"]["annotations"][protocol] == "HTTPS"
    assert grpc["metadata"]["annotations"][protocol] == "GRPCS"
    assert grpc["metadata"]["annotations"]["cert-manager.io/cluster-issuer"] == "letsencrypt"
    assert [path["path"] for path in grpc["spec"]["rules"][0]["http"]["paths"]] == [r"/(zitadel|grpc)\..+"]


def test_row_23_an_autoscaled_deployment_has_no_fixed_replicas(complete, installed):
    assert "replicas" not in one_of(complete, "Deployment", "zitadel")["spec"]
    scaler = one_of(complete, "HorizontalPodAutoscaler", "zitadel")["spec"]
    assert (scaler["minReplicas"], scaler["maxReplicas"]) == (3, 10)
    assert scaler["scaleTargetRef"] == {"apiVersion": "apps/v1", "kind": "Deployment", "name": "zitadel"}
    targets = {one["resource"]["name"]: one["resource"]["target"]["averageUtilization"] for one in scaler["metrics"]}
    assert targets == {"cpu": 70, "memory": 80}
    assert container(one_of(installed, "Deployment", "zitadel"))["resources"]["requests"]["cpu"]


def test_row_31_probes_ask_for_the_external_domain(installed):
    web = container(one_of(installed, "Deployment", "zitadel"))
    paths = {kind: web[kind]["httpGet"]["path"] for kind in ("livenessProbe", "readinessProbe", "startupProbe")}
    assert paths == {
        **{"livenessProbe": "/debug/healthz", "readinessProbe": "/debug/ready", "startupProbe": "/debug/ready"},
    }
    assert all(web[kind]["httpGet"]["httpHeaders"] == [{"name": "Host", "value": "auth.example.com"}] for kind in paths)


def test_row_39_an_upgrade_runs_the_jobs_again_with_the_new_tag():
    values = handbook_values() | {"image": {"tag": "0.2.0"}}
    before, after = rendered(handbook_values(masterkey=MASTER)), rendered(values, upgrade=True)
    for name in ("zitadel-init", "zitadel-setup"):
        assert container(one_of(after, "Job", name))["image"] == "gatehouse:0.2.0"
        notes = one_of(after, "Job", name)["metadata"]["annotations"]
        assert notes["helm.sh/hook-delete-policy"] == "before-hook-creation"
    assert container(one_of(before, "Deployment", "zitadel"))["image"] == "gatehouse:0.1.0"
    assert container(one_of(after, "Deployment", "zitadel"))["image"] == "gatehouse:0.2.0"
    assert "Secret/zitadel-masterkey" not in names(after)  # made by the installation, kept as it is
    reference = {"name": "zitadel-masterkey", "key": "masterkey"}
    assert container(one_of(after, "Deployment", "zitadel"))["env"][0]["valueFrom"] == {"secretKeyRef": reference}


def test_row_39_only_a_changed_configuration_rolls_the_pods():
    def checksums(values):
        web = one_of(rendered(values), "Deployment", "zitadel")
        return {
            key: value for key, value in web["spec"]["template"]["metadata"]["annotations"].items() if "checksum" in key
        }

    same, changed = handbook_values(masterkey=MASTER), handbook_values(masterkey=MASTER)
    assert checksums(same) == checksums(same | {"replicaCount": 5})
    changed["zitadel"]["configmapConfig"]["Log"] = {"Level": "debug"}
    assert checksums(same) != checksums(changed)
    assert "zitadel-config-yaml" in one_of(rendered(changed), "ConfigMap", "zitadel-config-yaml")["data"]


def test_row_40_pods_are_replaced_one_at_a_time_and_none_is_missing(installed):
    web = one_of(installed, "Deployment", "zitadel")["spec"]
    assert web["strategy"] == {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}}
    assert container(one_of(installed, "Deployment", "zitadel"))["lifecycle"]["preStop"]
    assert one_of(installed, "Deployment", "zitadel-beat")["spec"]["strategy"] == {"type": "Recreate"}


def test_everything_at_once_is_wired(complete):
    assert {
        *("NetworkPolicy/zitadel", "PodDisruptionBudget/zitadel", "ServiceMonitor/zitadel", "ConfigMap/zitadel-more"),
        *("Deployment/zitadel-worker", "Deployment/zitadel-beat", "StatefulSet/zitadel-postgresql"),
    } <= names(complete)
    web = container(one_of(complete, "Deployment", "zitadel"))
    variables = {one["name"]: one.get("value", "") for one in web["env"]}
    assert variables["ZITADEL_DATABASE_POSTGRES_USER_SSL_ROOTCERT"] == "/db-ssl-ca-crt/ca.crt"
    assert variables["ZITADEL_TLS_CERTPATH"] == "/server-ssl-crt/tls.crt"
    assert variables["ZITADEL_LOG_LEVEL"] == "debug"
    assert web["envFrom"] == [{"secretRef": {"name": "my-variables"}}]
    assert web["image"] == "registry.example.com/gatehouse:0.1.0"
    assert web["livenessProbe"]["httpGet"]["scheme"] == "HTTPS"
    mounted = {one["name"] for one in web["volumeMounts"]}
    assert mounted == {
        one["name"] for one in one_of(complete, "Deployment", "zitadel")["spec"]["template"]["spec"]["volumes"]
    }
    assert "--concurrency" in container(one_of(complete, "Deployment", "zitadel-worker"))["args"]
    assert one_of(complete, "ServiceMonitor", "zitadel")["spec"]["endpoints"][0]["path"] == "/debug/metrics"


def test_no_pod_has_more_rights_than_it_needs(complete):
    for one in complete:
        if one["kind"] not in {"Deployment", "Job"}:
            continue
        pod, first = one["spec"]["template"]["spec"], container(one)
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert first["securityContext"]["readOnlyRootFilesystem"] is True
        assert first["securityContext"]["allowPrivilegeEscalation"] is False
        assert first["securityContext"]["capabilities"] == {"drop": ["ALL"]}
        if not one["metadata"]["name"].endswith("cleanup"):
            assert pod["automountServiceAccountToken"] is False


def test_a_self_signed_certificate_names_the_domain():
    values = handbook_values(masterkey=MASTER, selfSignedCert={"enabled": True})
    made = one_of(rendered(values), "Secret", "zitadel-self-signed-cert")["stringData"]["tls.crt"]
    assert "auth.example.com" in str(load_pem_x509_certificate(made.encode()).extensions)


def test_row_51_what_uninstalling_leaves_is_removed_by_a_job(installed):
    kinds = [name.partition("/")[0] for name in hooks(installed, "post-delete")]
    assert kinds == ["Role", "ServiceAccount", "RoleBinding", "Job"]
    marked = {
        f"{one['kind']}/{one['metadata']['name']}"
        for one in installed
        if one["metadata"]["labels"].get("gatehouse/leftover") == "true"
    }
    kept = {"Secret/zitadel-masterkey"}
    assert marked | kept == set(hooks(installed, "pre-install"))


@pytest.mark.parametrize("with_masterkey", [False, True])
def test_row_51_the_clean_up_deletes_by_label(with_masterkey, tmp_path):
    values = handbook_values(masterkey=MASTER) | {"cleanupJob": {"deleteMasterkey": with_masterkey}}
    job = container(one_of(rendered(values), "Job", "zitadel-cleanup"))
    authority = Authority(tmp_path)
    asked = []
    server = kubernetes_stand_in(asked, *authority.issue("localhost"))
    (tmp_path / "token").write_text("the token")
    (tmp_path / "ca.crt").write_bytes(authority.file.read_bytes())
    variables = {one["name"]: one["value"] for one in job["env"]} | {
        **{"ACCOUNT_FOLDER": str(tmp_path), "KUBERNETES_SERVICE_HOST": "localhost"},
        **{"KUBERNETES_SERVICE_PORT": str(server.server_address[1]), "PATH": os.environ["PATH"]},
    }
    done = subprocess.run([*job["command"], *job["args"]], env=variables, capture_output=True, text=True, check=False)
    server.shutdown()
    assert done.returncode == 0, done.stderr
    leftover, masterkey = (
        f"app.kubernetes.io/instance=zitadel,gatehouse/{one}=true" for one in ("leftover", "masterkey")
    )
    expected = [
        (f"/api/v1/namespaces/zitadel/{kind}", leftover) for kind in ("configmaps", "secrets", "serviceaccounts")
    ]
    expected.append(("/apis/batch/v1/namespaces/zitadel/jobs", leftover))
    expected += [("/api/v1/namespaces/zitadel/secrets", masterkey)] if with_masterkey else []
    assert asked == [("DELETE", "Bearer the token", path, label) for path, label in expected]


def kubernetes_stand_in(asked, certificate, key):
    """Notes what it is asked to delete."""

    class Answers(http.server.BaseHTTPRequestHandler):
        def do_DELETE(self):
            url = urlsplit(self.path)
            asked.append(("DELETE", self.headers["Authorization"], url.path, parse_qs(url.query)["labelSelector"][0]))
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *words):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def test_row_52_services_have_the_ports_that_are_forwarded(installed):
    (port,) = one_of(installed, "Service", "zitadel")["spec"]["ports"]
    assert (port["port"], port["appProtocol"]) == (8080, "kubernetes.io/h2c")
    with_database = rendered(
        handbook_values(masterkey=MASTER) | {"postgresql": {"enabled": True, "auth": {"password": "x"}}}
    )
    assert one_of(with_database, "Service", "zitadel-postgresql")["spec"]["ports"][0]["port"] == 5432
    order = hooks(with_database, "pre-install")
    assert order.index("StatefulSet/zitadel-postgresql") < order.index("Job/zitadel-init")


def test_row_53_pods_are_found_by_label(installed):
    for name, component in (("zitadel", "web"), ("zitadel-worker", "worker"), ("zitadel-beat", "beat")):
        one = one_of(installed, "Deployment", name)
        labels = one["spec"]["template"]["metadata"]["labels"]
        assert labels["app.kubernetes.io/name"] == "zitadel"
        assert labels["app.kubernetes.io/component"] == component
        assert one["spec"]["selector"]["matchLabels"].items() <= labels.items()
    selector = one_of(installed, "Service", "zitadel")["spec"]["selector"]
    assert selector["app.kubernetes.io/component"] == "web"


def test_row_55_the_set_up_job_is_kept_for_its_log(installed):
    job = one_of(installed, "Job", "zitadel-setup")
    assert job["metadata"]["annotations"]["helm.sh/hook-delete-policy"] == "before-hook-creation"
    assert "ttlSecondsAfterFinished" not in job["spec"]
    assert job["spec"]["template"]["spec"]["restartPolicy"] == "Never"


def test_row_05_a_repository_of_charts_can_be_made_and_used(tmp_path):
    subprocess.run([sys.executable, str(DEPLOY / "package_chart.py"), str(tmp_path / "site")], check=True)
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(tmp_path / "site"))
    handler.log_message = lambda *words: None
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_address[1]}"
    (entry,) = helm_python.repo_index(url)["entries"]["zitadel"]
    assert (entry["version"], entry["appVersion"]) == ("0.1.0", "0.1.0")
    helm_python.pull("zitadel", repo_url=url, destination=str(tmp_path))
    server.shutdown()
    with helm_python.Chart.load(tmp_path / "zitadel-0.1.0.tgz") as chart:
        files = chart.render(handbook_values(masterkey=MASTER), name="zitadel", namespace="zitadel", is_install=True)
    objects = [one for text in files.values() for one in yaml.safe_load_all(text) if isinstance(one, dict)]
    assert names([one for one in objects if "kind" in one]) == names(rendered(handbook_values(masterkey=MASTER)))


def test_a_wrong_object_would_be_noticed(installed):
    broken = json.loads(json.dumps(one_of(installed, "Deployment", "zitadel")))
    broken["spec"]["replica"] = 3
    with pytest.raises(Exception, match="replica"):
        valid(broken)
