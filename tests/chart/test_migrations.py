"""The migration Job: what it is called, what it needs, and who else may do its work."""

import re
from pathlib import Path
from typing import Any

from tests.support.helm import Object, only, render

ROOT = Path(__file__).parents[2]


def job(values: Object | None = None) -> Object:
    return only(render(values), "Job")


def name(**values: Any) -> str:
    found: str = job(values)["metadata"]["name"]
    return found


def operator(values: Object) -> Object:
    spec: Object = only(render(values), "Deployment")["spec"]["template"]["spec"]
    return spec


def test_it_is_a_hook_that_leaves_its_end_to_be_seen() -> None:
    metadata = job()["metadata"]
    assert metadata["annotations"] == {
        "helm.sh/hook": "pre-install,pre-upgrade",
        "helm.sh/hook-delete-policy": "before-hook-creation",
    }
    spec = job()["spec"]
    assert spec["backoffLimit"] == 4
    assert spec["ttlSecondsAfterFinished"] == 3600
    assert spec["activeDeadlineSeconds"] == 270
    assert spec["template"]["spec"]["restartPolicy"] == "Never"


def test_it_needs_nothing_that_the_chart_makes() -> None:
    """Before an install there is nothing of the chart's yet."""
    spec = job({"metadataDatabase": {"tls": {"caSecret": {"name": "theirs"}}}})["spec"]
    pod = spec["template"]["spec"]
    assert "serviceAccountName" not in pod
    assert pod["automountServiceAccountToken"] is False
    named = {volume["secret"]["secretName"] for volume in pod["volumes"]}
    for container in [*pod["initContainers"], *pod["containers"]]:
        named |= {
            e["valueFrom"]["secretKeyRef"]["name"] for e in container["env"] if "valueFrom" in e
        }
    assert named == {"theirs", "daap-metadata"}


def test_it_waits_for_postgresql_first() -> None:
    pod = job({"migrations": {"waitSeconds": 7}})["spec"]["template"]["spec"]
    assert [c["args"] for c in pod["initContainers"]] == [["migrate", "wait", "--wait=7"]]
    assert [c["args"] for c in pod["containers"]] == [["migrate", "--wait=7"]]


def test_its_name_changes_with_what_it_runs_and_with_nothing_else() -> None:
    assert re.fullmatch(r"daap-operator-migrate-[0-9a-f]{10}", name())
    assert name() == name(replicaCount=3, config={"workers": 1}, watchNamespaces=["shop"])
    others = {
        name(),
        name(image={"tag": "9.9.9"}),
        name(image={"digest": f"sha256:{'a' * 64}"}),
        name(metadataDatabase={"existingSecret": {"name": "other"}}),
        name(migrations={"backoffLimit": 1}),  # a Job cannot be changed
    }
    assert len(others) == 5


def test_its_name_carries_the_migrations() -> None:
    sums = ROOT / "charts" / "daap-operator" / "files" / "migrations.sha256"
    before, text = name(), sums.read_text()
    try:
        sums.write_text(text.replace("a", "b"))
        assert name() != before
    finally:
        sums.write_text(text)


def test_the_operator_names_the_job_to_look_at() -> None:
    env = {e["name"]: e.get("value") for e in operator({})["containers"][0]["env"]}
    assert env["DAAP_MIGRATION_JOB"] == f"$(DAAP_LEASE_NAMESPACE)/{name()}"


def test_alternatives() -> None:
    for mode, containers in (("initContainer", ["migrate"]), ("none", [])):
        values = {"migrations": {"mode": mode}}
        assert "Job" not in {obj["kind"] for obj in render(values)}
        spec = operator(values)
        assert [c["name"] for c in spec.get("initContainers", ())] == containers
        named = {e["name"] for e in spec["containers"][0]["env"]}
        assert "DAAP_MIGRATION_JOB" not in named
