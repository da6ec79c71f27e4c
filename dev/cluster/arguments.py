"""The command line of `dev/kind`: kind's own words where scripts use them, and a few of ours."""

import argparse
from typing import NoReturn

from dev.cluster import programs
from dev.cluster.errors import ClusterError

DESCRIPTION = """\
The project's own single-node Kubernetes cluster, without Docker, behind kind's command line.
Everything in it is real. See dev/cluster/README.md.
"""
IGNORED = "of kind, ignored here"
CONFIGURABLE = [
    n for n in (*programs.CONTROL_PLANE, *programs.NODE) if n not in ("kubectl", "manager")
]
"""The programs that run on this machine, and so take flags."""
BACKUP = "with CloudNativePG's Barman Cloud plugin and an S3 server"


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        # kind ends with 1 and one line, not with argparse's 2 and the usage.
        raise ClusterError(f"{message}; see {self.prog} --help")


def parse(words: list[str]) -> argparse.Namespace:
    """The parsed command line; `command` is such as `create cluster`.

    `build image` keeps what it does not know in `rest`, for buildah. Raises ClusterError.
    """
    parsed, rest = _parser().parse_known_args(words)
    if rest and parsed.command != "build image":
        kind = "unknown flag" if rest[0].startswith("-") else "unknown argument"
        raise ClusterError(f"{kind}: {rest[0]}; see dev/kind {parsed.command} --help")
    parsed.rest = rest
    return parsed


def extra_flags(words: list[str]) -> dict[str, list[str]]:
    """Flags by program from words such as `kubelet=--v=4`. Raises ClusterError."""
    flags: dict[str, list[str]] = {}
    for word in words:
        program, _, flag = word.partition("=")
        if program not in CONFIGURABLE or not flag.startswith("--"):
            raise ClusterError(
                f"--extra {word} is not PROGRAM=--flag=value with a PROGRAM of the cluster: "
                + ", ".join(CONFIGURABLE)
            )
        flags.setdefault(program, []).append(flag)
    return flags


def _parser() -> _Parser:
    parser = _Parser(
        prog="dev/kind",
        description=DESCRIPTION,
        allow_abbrev=False,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="COMMAND")
    _build(verbs.add_parser("build", help="build and cache everything (slow, once), or an image"))
    for verb, about, add in (
        ("create", "create a cluster", _create),
        ("delete", "delete a cluster", _delete),
        ("get", "print clusters, nodes, kubeconfig, binary, CRDs", _get),
        ("load", "load an image into the node", _load),
        ("export", "write logs or a kubeconfig", _export),
        ("install", "install CloudNativePG or what backups need, in real kind too", _install),
    ):
        add(verbs.add_parser(verb, help=about).add_subparsers(required=True, metavar="WHAT"))
    version = verbs.add_parser("version", help="print the versions of what runs in a cluster")
    version.set_defaults(command="version")
    return parser


def _command(
    nouns: "argparse._SubParsersAction[_Parser]", verb: str, noun: str, about: str
) -> _Parser:
    parser = nouns.add_parser(noun, help=about, allow_abbrev=False)
    parser.set_defaults(command=f"{verb} {noun}")
    parser.add_argument("-q", "--quiet", action="store_true", help=IGNORED)
    parser.add_argument("-v", "--verbosity", help=IGNORED)
    return parser


def _named(parser: _Parser) -> _Parser:
    parser.add_argument("-n", "--name", default="kind", help="the cluster's name, default: kind")
    return parser


def _build(parser: _Parser) -> None:
    parser.set_defaults(command="build")
    parser.add_argument("--control-plane-only", action="store_true", help="no node, no images")
    parser.add_argument("--backup", action="store_true", help=BACKUP)
    nouns = parser.add_subparsers(metavar="[image]")
    image = _command(
        nouns, "build", "image", "build a Dockerfile; prints the docker-archive's path"
    )
    image.add_argument("directory", help="the build context")
    image.add_argument("-t", "--tag", required=True)


def _create(nouns: "argparse._SubParsersAction[_Parser]") -> None:
    cluster = _named(
        _command(nouns, "create", "cluster", "create a cluster and wait until it serves")
    )
    cluster.add_argument("--kubeconfig", help="the file to add the cluster to")
    cluster.add_argument("--no-cnpg", action="store_true", help="without CloudNativePG")
    extent = cluster.add_mutually_exclusive_group()
    extent.add_argument("--control-plane-only", action="store_true", help="no node; needs no root")
    extent.add_argument("--backup", action="store_true", help=BACKUP)
    cluster.add_argument("--extra", action="append", default=[], metavar="PROGRAM=--FLAG=VALUE")
    for flag in ("--config", "--image", "--wait"):
        cluster.add_argument(flag, help=IGNORED)
    cluster.add_argument("--retain", action="store_true", help=IGNORED)


def _delete(nouns: "argparse._SubParsersAction[_Parser]") -> None:
    cluster = _named(
        _command(nouns, "delete", "cluster", "delete a cluster; it is no error if there is none")
    )
    cluster.add_argument("--kubeconfig", help="the file to take the cluster out of")


def _get(nouns: "argparse._SubParsersAction[_Parser]") -> None:
    _command(nouns, "get", "clusters", "the names of the running clusters")
    _named(_command(nouns, "get", "nodes", "the names of a cluster's nodes"))
    _named(_command(nouns, "get", "kubeconfig", "a cluster-admin's kubeconfig"))
    binary = _command(nouns, "get", "binary", "the path of a program, built if need be")
    binary.add_argument("program", help=", ".join(programs.PROGRAMS))
    _command(nouns, "get", "cnpg-crds", "the directory of CloudNativePG's CRDs")
    _command(nouns, "get", "barman-crds", "the directory of the Barman Cloud plugin's CRD")


def _load(nouns: "argparse._SubParsersAction[_Parser]") -> None:
    archive = _named(_command(nouns, "load", "image-archive", "load docker-archives"))
    archive.add_argument("archives", nargs="+", metavar="FILE")
    image = _named(_command(nouns, "load", "docker-image", "check that the node has images"))
    image.add_argument("images", nargs="+", metavar="NAME")


def _export(nouns: "argparse._SubParsersAction[_Parser]") -> None:
    logs = _named(_command(nouns, "export", "logs", "copy the logs of the cluster and its pods"))
    logs.add_argument("directory", nargs="?", help="default: NAME-logs")
    kubeconfig = _named(_command(nouns, "export", "kubeconfig", "add the cluster to a kubeconfig"))
    kubeconfig.add_argument("--kubeconfig")


def _install(nouns: "argparse._SubParsersAction[_Parser]") -> None:
    cnpg = _command(nouns, "install", "cnpg", "CloudNativePG with its published, pulled image")
    cnpg.add_argument("--kubeconfig", help="default: as kubectl's")
    backup = _named(
        _command(nouns, "install", "backup", "the Barman Cloud plugin and an S3 server")
    )
    backup.add_argument("--kubeconfig", help="if the cluster is not ours; default: as kubectl's")
