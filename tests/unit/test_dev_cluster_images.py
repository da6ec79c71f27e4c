"""The cluster's images: keys, recipes, and the faults of building them."""

from dataclasses import replace
from pathlib import Path

import pytest

from dev.cluster import archive, buildah, images, programs, versions
from dev.cluster.errors import ClusterError


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DAAP_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("DAAP_STATE", str(tmp_path / "state"))
    return tmp_path / "cache"


def image(name: str) -> images.Image:
    return next(image for image in images.node_images() if image.name == name)


def test_the_key_of_an_image_changes_with_everything_in_it() -> None:
    before = image("postgres")
    changed = [
        replace(before, inputs=("other",)),
        replace(before, tags=("other:1",)),
        replace(before, config={"User": "27"}),
    ]
    assert len({before.path, *(one.path for one in changed)}) == 4


def test_the_key_of_cloudnativepgs_image_changes_with_its_program(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = image("cnpg").path
    monkeypatch.setattr(programs, "GO_FLAGS", ("-race",))
    assert image("cnpg").path != before


def test_a_key_tells_where_parts_begin() -> None:
    assert images.key("ab", "c") != images.key("a", "bc")


def test_the_node_has_the_images_under_cloudnativepgs_names() -> None:
    tags = [tag for image in images.node_images() for tag in image.tags]
    assert f"ghcr.io/cloudnative-pg/cloudnative-pg:{versions.CNPG}" in tags
    assert "ghcr.io/cloudnative-pg/postgresql:17-standard-trixie" in tags
    assert f"ghcr.io/cloudnative-pg/pgbouncer:{versions.PGBOUNCER}" in tags


def test_postgres_comes_with_pgaudit_and_pgbouncer_and_the_operators_user_ids() -> None:
    for words in ("postgresql-17-pgaudit", "pgbouncer", "usermod -u 26 postgres", "-u 998"):
        assert words in images.POSTGRES_SCRIPT
    assert image("postgres").config["User"] == "26"


def test_only_settings_that_reach_the_archive_are_taken_from_this_machine() -> None:
    dump = "\n".join(
        [
            'APT::Architecture "amd64";',
            'Acquire::http::Proxy "http://proxy.test:3128";',
            'Acquire::https::CaInfo "/ca.pem";',
            'Acquire::Languages "";',
            'DPkg::Post-Invoke:: "rm -f /x";',
        ]
    )
    assert images.apt_settings(dump).splitlines() == [
        'Acquire::http::Proxy "http://proxy.test:3128";',
        'Acquire::https::CaInfo "/ca.pem";',
    ]


def test_building_images_without_root_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    with pytest.raises(ClusterError, match=r"building images needs root: .*--control-plane-only"):
        images.build(images.node_images())


def test_building_an_image_without_root_is_a_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    with pytest.raises(ClusterError, match="building an image needs root"):
        buildah.build(tmp_path, "a:1")


def test_cached_images_need_neither_root_nor_tools(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    monkeypatch.setenv("PATH", "/nowhere")
    for image in images.node_images():
        image.path.parent.mkdir(parents=True, exist_ok=True)
        image.path.touch()
    assert images.build(images.node_images()) == [image.path for image in images.node_images()]


def test_a_built_image_is_packed_whole_and_nothing_else_is_left(cache: Path) -> None:
    def fill(root: Path) -> None:
        (root / "file").write_text("content")

    small = images.Image(name="small", tags=("a:1",), config={}, inputs=("1",), fill=fill)
    images.make(small)
    assert archive.image_names(small.path) == ["a:1"]
    assert [path.name for path in (cache / "images").iterdir()] == [small.path.name]
    assert list((cache / "work").iterdir()) == []


def test_a_failed_fill_leaves_no_image_and_no_work(cache: Path) -> None:
    def fill(root: Path) -> None:
        (root / "half").write_text("half")
        raise ClusterError("mirror is down")

    small = images.Image(name="small", tags=("a:1",), config={}, inputs=("1",), fill=fill)
    with pytest.raises(ClusterError, match="mirror is down"):
        images.make(small)
    assert not small.path.exists()
    assert list((cache / "work").iterdir()) == []


def test_what_a_killed_build_left_goes_before_the_next(cache: Path) -> None:
    left = cache / "work/name/left"
    left.mkdir(parents=True)
    with images.scratch("name") as directory:
        assert list(directory.iterdir()) == []


def test_an_archive_has_the_tag_and_the_content_in_its_name(cache: Path) -> None:
    path = buildah.archive_path("daap/operator:dev", "sha256:0123456789abcdef")
    assert path == cache / "built/daap_operator_dev-0123456789ab.tar"


def test_a_directory_without_a_dockerfile_is_a_fault(tmp_path: Path) -> None:
    with (
        pytest.raises(ClusterError, match=f"no {tmp_path}/Dockerfile: write one"),
        buildah.labelled(tmp_path, {}),
    ):
        pass


def test_labels_come_last_so_that_they_spoil_no_cached_layer(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("FROM python:3.13-slim\n")
    with buildah.labelled(tmp_path, {"version": 'a "b"'}) as file:
        assert file.read_text() == 'FROM python:3.13-slim\nLABEL "version"="a \\"b\\""\n'


def test_only_old_layers_without_a_tag_are_forgotten() -> None:
    untagged = [{"id": str(age), "created": 1000 - age} for age in range(buildah.CACHED + 2)]
    assert buildah.forgotten(untagged[::-1]) == [str(buildah.CACHED), str(buildah.CACHED + 1)]
