"""What becomes of a DaapSchema whose files lie in an image, pass by pass."""

from typing import Any

import pytest

from daap_operator.api.v1alpha1 import DaapSchemaSpec, SchemaDatabase
from daap_operator.kinds import known
from daap_operator.kinds.schema import orders
from daap_operator.kube import EVENT, Kind
from tests.unit.kstatus import kstatus
from tests.unit.schema_stage import (
    CHECKED,
    DAY,
    SCHEMA,
    SchemaStage,
    applied,
    planned,
    ready,
)

Object = dict[str, Any]

DIGEST = "sha256:" + "9f86d081" * 8
OTHER = "sha256:" + "60303ae2" * 8
REFERENCE = f"registry.example.com/orders/schema@{DIGEST}"
IMAGE: Object = {"image": {"reference": REFERENCE, "path": "/db/schema", "pullSecret": "registry"}}
FIXTURES: Object = {"image": {"reference": REFERENCE, "path": "db/fixtures", "files": "0*.sql"}}
MAP: Object = {"configMap": {"name": "tables"}}
ALL = "e" * 64
"""The checksum of all files, as the look reports it."""
OLD_RUNTIME = (
    'failed to generate container "c" spec: failed to generate spec: failed to mkdir "": mkdir : '
    "no such file or directory"
)


def options(stage: SchemaStage) -> dict[str, str]:
    """What the Job is given, by option; the last of several."""
    pairs = (each.partition("=") for each in stage.asked if each.startswith("--"))
    return {name: value for name, _, value in pairs}


def pod(stage: SchemaStage) -> Object:
    found: Object = stage.job["spec"]["template"]["spec"]
    return found


async def looking(*sources: Object, **spec: Any) -> SchemaStage:
    """A stage on which a look at an image has begun."""
    stage = await ready()
    stage.schema(schema=list(sources) or [IMAGE], **spec)
    await stage.passes(2)
    return stage


async def waiting(reason: str, message: str = "", *sources: Object) -> SchemaStage:
    """The same, and the pod has been waiting for a while."""
    stage = await looking(*sources)
    stage.pod({"waiting": {"reason": reason, "message": message}})
    await stage.passes(6)
    return stage


# --- what a Job is given --------------------------------------------------------------------------


async def test_an_image_is_mounted_by_its_digest_and_read_only() -> None:
    stage = await looking(MAP, IMAGE, fixtures=[FIXTURES])
    volumes = {each["name"]: each for each in pod(stage)["volumes"]}
    source = {"reference": REFERENCE, "pullPolicy": "IfNotPresent"}
    assert volumes["schema-1"] == {"name": "schema-1", "image": source}
    assert volumes["fixtures-0"] == {"name": "fixtures-0", "image": source}
    (container,) = pod(stage)["containers"]
    mount = {"name": "schema-1", "mountPath": "/files/schema-1", "readOnly": True}
    assert mount in container["volumeMounts"]
    assert container["args"][-3:] == [
        "--schema-image=/files/schema-1:db/schema:*.sql",
        "--fixtures-image=/files/fixtures-0:db/fixtures:0*.sql",
        "/files/schema-0",
    ]
    assert pod(stage)["imagePullSecrets"] == [{"name": "registry"}]


async def test_a_job_without_images_has_nothing_of_them() -> None:
    stage = await looking(MAP)
    assert "imagePullSecrets" not in pod(stage)
    assert "--files-but-images" not in options(stage)


async def test_what_the_look_has_seen_is_what_is_applied() -> None:
    stage = await looking(MAP, IMAGE)
    known_files = stage.its()["files"]
    assert options(stage)["--files-but-images"] == known_files["checksum"]
    assert "--files" not in options(stage)
    assert known_files["count"] == 1
    stage.reports(planned(filesChecksum=ALL))
    await stage.passes(2)
    assert stage.its()["filesChecksum"] == ALL
    assert "apply" in stage.asked
    assert options(stage)["--files"] == ALL
    assert "--files-but-images" not in options(stage)
    stage.reports(applied())
    await stage.passes(2)
    stage.reports(CHECKED | {"count": 1, "current": "001_users.sql", "filesChecksum": ALL})
    await stage.passes(2)
    assert stage.told(SCHEMA) == {"Ready": ("True", "Ready")}
    stage.forget_requests()
    await stage.passes(3)
    await stage.restart()
    await stage.passes(3)
    assert stage.kube.requests == []


@pytest.mark.parametrize(
    "change",
    [{"reference": REFERENCE.replace(DIGEST, OTHER)}, {"path": "db/other"}, {"files": "1*.sql"}],
)
async def test_another_image_is_looked_at_anew(change: Object) -> None:
    stage = await looking(IMAGE)
    before = stage.job["metadata"]["name"]
    stage.reports(planned(filesChecksum=ALL))
    await stage.passes(2)
    applying = stage.job["metadata"]["name"]
    stage.respecified(schema=[{"image": IMAGE["image"] | change}])
    await stage.passes(3)
    assert "check" in stage.asked
    assert stage.job["metadata"]["name"] != before
    assert applying not in stage.kube.there(known.JOB)


async def test_where_no_image_has_files_no_checksum_is_told() -> None:
    stage = await looking(IMAGE)
    stage.reports(planned(filesChecksum=ALL))
    await stage.passes(2)
    stage.respecified(schema=[MAP])
    await stage.passes(3)
    stage.reports(planned(filesChecksum=ALL))
    await stage.passes(2)
    assert "filesChecksum" not in stage.its()
    assert options(stage)["--files"] == stage.its()["files"]["checksum"]


async def test_whoever_names_the_right_secret_is_tried_at_once() -> None:
    stage = await waiting("ImagePullBackOff", f'Back-off pulling image "{REFERENCE}"')
    before = stage.job["metadata"]["name"]
    stage.respecified(schema=[{"image": IMAGE["image"] | {"pullSecret": "other"}}])
    await stage.passes(3)
    assert stage.job["metadata"]["name"] != before
    assert pod(stage)["imagePullSecrets"] == [{"name": "other"}]


def test_what_was_looked_at_before_there_were_images_is_not_looked_at_again() -> None:
    """The digests of a schema without images are those of the version before: they stand in
    every status, and all databases would be looked at, at once."""
    asked = {"databaseRef": {"name": "orders"}, "schema": [MAP], "lint": {"ignore": ["rename"]}}
    spec = DaapSchemaSpec.model_validate(asked)
    of = SchemaDatabase(name="orders", uid="u", cluster_name="daap-orders", cluster_uid="c")
    digest = orders.digest("f" * 64, of, spec)
    assert digest == "c85aafa9bdd1a0e3b4c863f0c831676ce105e65d17306a80c61a1449f8bb87b1"
    attempt = "ce425607235415284ca9ad6b0f946153b79392d65765ba6f0d15aa9eb55258eb"
    assert orders.attempt(digest, spec) == attempt


# --- what keeps it from being mounted -------------------------------------------------------------


def dropping(stage: SchemaStage) -> None:
    """The API server does not know such volumes: it drops them and their mounts."""
    create = stage.kube.create

    async def dropped(kind: Kind, manifest: Object) -> Object:
        if kind == known.JOB:
            found = manifest["spec"]["template"]["spec"]
            gone = {each["name"] for each in found["volumes"] if "image" in each}
            found["volumes"] = [each for each in found["volumes"] if each["name"] not in gone]
            for container in found["containers"]:
                container["volumeMounts"] = [
                    each for each in container["volumeMounts"] if each["name"] not in gone
                ]
        return await create(kind, manifest)

    stage.kube.create = dropped  # type: ignore[method-assign]


async def test_an_api_server_that_drops_the_image_is_noticed() -> None:
    stage = await ready()
    dropping(stage)
    stage.schema(schema=[MAP, IMAGE])
    await stage.passes(2)
    assert stage.jobs == []  # it ran nothing for longer than a moment
    assert stage.told(SCHEMA)["Stalled"] == ("True", "ImagesUnsupported")
    for words in (REFERENCE, "feature gate ImageVolume", "containerd 2.1", "into a ConfigMap"):
        assert words in stage.why()
    assert kstatus(stage.kube.one(SCHEMA.kind, SCHEMA.name)) == "Failed"
    assert "job" not in stage.its()


async def test_it_is_tried_again_the_later_the_longer_it_lasts() -> None:
    stage = await ready()
    dropping(stage)
    stage.schema(schema=[IMAGE])
    await stage.passes(2)
    stage.forget_requests()
    for _ in range(600):
        await stage.passes(1)
    made = [each for each in stage.kube.requests if each.startswith("create Job")]
    assert 5 <= len(made) <= 9
    del stage.kube.create
    stage.clock.advance(3600)
    await stage.passes(2)
    assert "check" in stage.asked
    assert stage.told(SCHEMA)["Ready"] == ("False", "Planning")


async def test_a_run_that_finds_no_image_says_so() -> None:
    stage = await looking(IMAGE)
    said = {"format": 1, "result": "Refused", "reason": "ImageNotMounted"}
    said |= {"message": "'/files/schema-0' is not there, where an image was to be mounted"}
    stage.reports(said)
    await stage.passes(2)
    assert stage.told(SCHEMA)["Stalled"] == ("True", "ImagesUnsupported")
    assert "spec.schema[0] is not there" in stage.why()


@pytest.mark.parametrize(
    ("reason", "message"),
    [
        ("ErrImagePull", f'failed to pull and unpack image "{REFERENCE}": not found'),
        ("ImagePullBackOff", f'Back-off pulling image "{REFERENCE}": ErrImagePull: no such host'),
        ("InvalidImageName", f'Failed to apply default image tag "{REFERENCE}"'),
    ],
)
async def test_an_image_that_cannot_be_pulled_is_told(reason: str, message: str) -> None:
    stage = await waiting(reason, message, MAP, IMAGE)
    assert stage.told(SCHEMA)["Stalled"] == ("True", "ImageUnavailable")
    said = stage.why()
    assert f"spec.schema[1].image.reference '{REFERENCE}' cannot be pulled ({reason}" in said
    assert "name the Secret that it is pulled by as image.pullSecret" in said


async def test_an_address_of_the_platform_is_not_told() -> None:
    message = f'failed to pull "{REFERENCE}": dial tcp: lookup on 10.255.255.53:53: no such host'
    stage = await waiting("ErrImagePull", message)
    assert "10.255" not in stage.why()


async def test_once_it_is_pulled_it_goes_on() -> None:
    stage = await waiting("ErrImagePull", f"{REFERENCE}: not found")
    stage.reports(planned(filesChecksum=ALL))
    await stage.passes(2)
    assert stage.told(SCHEMA)["Ready"] == ("False", "Applying")
    assert "apply" in stage.asked


async def test_another_image_than_the_files_is_none_of_theirs() -> None:
    stage = await waiting("ErrImagePull", 'failed to pull "registry.example/daap-operator:1"')
    assert stage.told(SCHEMA)["Ready"] == ("False", "Planning")
    assert "its pod waits: ErrImagePull" in stage.why()


async def test_a_node_that_cannot_mount_it_is_told() -> None:
    stage = await waiting("CreateContainerError", OLD_RUNTIME)
    assert stage.told(SCHEMA)["Stalled"] == ("True", "ImagesUnsupported")
    assert "containerd 2.1 or CRI-O 1.31 on the nodes" in stage.why()


@pytest.mark.parametrize(
    ("reason", "message", "source"),
    [
        ("CreateContainerConfigError", 'secret "daap-orders-app" not found', IMAGE),
        ("CreateContainerError", OLD_RUNTIME, MAP),
    ],
)
async def test_what_else_a_pod_waits_for_is_told_as_ever(
    reason: str, message: str, source: Object
) -> None:
    stage = await waiting(reason, message, source)
    assert stage.told(SCHEMA)["Ready"] == ("False", "Planning")
    assert f"its pod waits: {reason}" in stage.why()


async def unmounted(note: str, *sources: Object) -> SchemaStage:
    """A look whose pod has no container yet, and an Event that says why."""
    stage = await looking(*sources)
    stage.pod({"waiting": {"reason": "ContainerCreating"}})
    about = {"kind": "Pod", "name": f"{stage.job['metadata']['name']}-pod"}
    warning = {"metadata": {"name": "e1"}, "type": "Warning", "regarding": about}
    stage.kube.add(EVENT, warning | {"reason": "FailedMount", "note": note})
    await stage.passes(6)
    return stage


async def test_a_kubelet_that_does_not_know_such_volumes_is_told() -> None:
    stage = await unmounted(
        "Unable to attach or mount volumes: unmounted volumes=[schema-0], failed to process "
        'volumes=[schema-0]: failed to get Plugin from volumeSpec for volume "schema-0" err=no '
        "volume plugin matched"
    )
    assert stage.told(SCHEMA)["Stalled"] == ("True", "ImagesUnsupported")
    assert "no volume plugin matched" in stage.why()


async def test_why_another_volume_is_not_mounted_is_told() -> None:
    stage = await unmounted(
        'MountVolume.SetUp failed for volume "ca" : secret "daap-orders-ca" not found', IMAGE
    )
    assert 'its pod waits: MountVolume.SetUp failed for volume "ca"' in stage.why()


async def test_what_is_applied_stays_ready_when_it_cannot_be_compared() -> None:
    stage = await looking(IMAGE)
    stage.reports(planned(filesChecksum=ALL))
    await stage.passes(2)
    stage.reports(applied())
    await stage.passes(2)
    stage.reports(CHECKED | {"count": 1, "current": "001_users.sql", "filesChecksum": ALL})
    await stage.passes(2)
    stage.clock.advance(DAY)
    await stage.passes(2)
    stage.pod({"waiting": {"reason": "ErrImagePull", "message": f"{REFERENCE}: not found"}})
    await stage.passes(8)
    assert stage.told(SCHEMA) == {"Ready": ("True", "Ready")}
    assert "It cannot be compared now: spec.schema[0].image.reference" in stage.why()
