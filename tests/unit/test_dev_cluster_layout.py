"""What makes a cluster: its layout, the flags and the files computed from it."""

import json
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest

from dev.cluster import command_lines, layout, node_config, versions
from dev.cluster.layout import Layout

ALONE = Layout(
    name="x",
    directory=Path("/state/x"),
    api_port=11111,
    etcd_port=12222,
    peer_port=13333,
    kubectl=Path("/cache/kubectl"),
)
FULL = replace(ALONE, node=True)


def test_a_layout_is_read_back_as_written(tmp_path: Path) -> None:
    written = replace(FULL, directory=tmp_path, audit=True, flags={"etcd": ["--debug"]})
    written.write()
    assert layout.read(tmp_path) == written


@pytest.mark.parametrize("text", [None, "", "{", "{}", '{"kubectl": "/k", "colour": "red"}'])
def test_what_is_no_layout_is_none(tmp_path: Path, text: str | None) -> None:
    if text is not None:
        (tmp_path / layout.FACTS).write_text(text)
    assert layout.read(tmp_path) is None


def test_the_control_plane_starts_from_etcd_up() -> None:
    assert list(command_lines.control_plane(ALONE)) == [
        "etcd",
        "kube-apiserver",
        "kube-controller-manager",
    ]


def test_a_control_plane_alone_serves_the_loopback_only() -> None:
    flags = command_lines.control_plane(ALONE)
    assert "--bind-address=127.0.0.1" in flags["kube-apiserver"]
    assert "--secure-port=0" in flags["kube-controller-manager"]
    assert not [flag for flag in flags["kube-apiserver"] if "kubelet" in flag]
    assert not [flag for flag in flags["etcd"] if "listen" in flag and "127.0.0.1" not in flag]


def test_a_full_cluster_serves_its_pods_and_knows_the_kubelet() -> None:
    flags = command_lines.control_plane(FULL)
    assert "--bind-address=0.0.0.0" in flags["kube-apiserver"]
    assert "--kubelet-client-key=/state/x/pki/apiserver-kubelet.key" in flags["kube-apiserver"]


def test_the_ports_of_the_layout_are_served() -> None:
    flags = command_lines.control_plane(ALONE)
    assert "--secure-port=11111" in flags["kube-apiserver"]
    assert "--etcd-servers=http://127.0.0.1:12222" in flags["kube-apiserver"]
    assert "--listen-client-urls=http://127.0.0.1:12222" in flags["etcd"]
    assert ALONE.server == "https://127.0.0.1:11111"


def test_there_is_an_audit_log_only_when_asked_for() -> None:
    audited = command_lines.kube_apiserver(replace(ALONE, audit=True))
    assert "--audit-log-path=/state/x/audit.log" in audited
    assert not [f for f in command_lines.kube_apiserver(ALONE) if "audit" in f]


def test_the_audit_policy_logs_each_request_of_everybody_once() -> None:
    policy = json.loads(command_lines.audit_policy())
    assert policy["rules"] == [{"level": "Metadata"}]
    assert "ResponseComplete" not in policy["omitStages"]
    assert len(policy["omitStages"]) == 3


@pytest.mark.parametrize("program", ["etcd", "kube-apiserver", "kube-controller-manager"])
def test_further_flags_of_the_control_plane_come_last(program: str) -> None:
    further = replace(ALONE, flags={program: ["--v=4"]})
    assert command_lines.control_plane(further)[program][-1] == "--v=4"


@pytest.mark.parametrize("program", ["kubelet", "kube-proxy", "kube-scheduler", "coredns"])
def test_further_flags_of_the_node_come_last(program: str) -> None:
    further = replace(FULL, flags={program: ["--v=4"]})
    assert node_config.programs(further)[program][-1] == "--v=4"


def test_containerd_keeps_everything_in_the_clusters_directory() -> None:
    config = tomllib.loads(node_config.containerd(FULL, Path("/cache/shim")))
    cri = config["plugins"]["io.containerd.grpc.v1.cri"]
    assert {config["root"], config["state"]} == {"/state/x/containerd", "/state/x/run"}
    assert config["grpc"]["address"] == str(FULL.containerd_socket)
    assert cri["netns_mounts_under_state_dir"] is True
    assert cri["sandbox_image"] == versions.PAUSE_IMAGE
    assert cri["containerd"]["runtimes"]["runc"]["runtime_path"] == "/cache/shim"


def test_pods_of_a_full_cluster_mount_images() -> None:
    assert node_config.kubelet(FULL)["featureGates"] == {"ImageVolume": True}
    gates = "--feature-gates=ImageVolume=true"
    assert gates in command_lines.kube_apiserver(FULL)
    assert gates not in command_lines.kube_apiserver(replace(FULL, node=False))


def test_the_kubelet_meets_containerd_and_dns() -> None:
    kubelet = node_config.kubelet(FULL)
    assert kubelet["containerRuntimeEndpoint"] == f"unix://{FULL.containerd_socket}"
    assert kubelet["clusterDNS"] == [layout.DNS_SERVICE]
    assert kubelet["podLogsDir"].startswith("/state/x/")


def test_the_dns_service_leads_to_coredns() -> None:
    service, endpoints = (
        item for item in node_config.objects() if item["kind"] in ("Service", "EndpointSlice")
    )
    assert service["spec"]["clusterIP"] == layout.DNS_SERVICE
    assert {port["targetPort"] for port in service["spec"]["ports"]} == {node_config.DNS_PORT}
    assert endpoints["endpoints"][0]["addresses"] == [layout.NODE_ADDRESS]
    corefile = node_config.coredns(FULL)
    assert f".:{node_config.DNS_PORT} " in corefile
    assert f"bind {layout.NODE_ADDRESS}" in corefile


def test_every_file_that_a_program_is_pointed_to_is_written() -> None:
    named = " ".join(flag for flags in node_config.programs(FULL).values() for flag in flags)
    files = {f"/state/x/{name}" for name in node_config.files(FULL, Path("/cache/shim"))}
    pointed = {word.split("=")[-1] for word in named.split() if "/state/x/" in word}
    configs = {path for path in pointed if "kubeconfig" not in path and "root" not in path}
    assert configs - {"/state/x/kubelet"} <= files
