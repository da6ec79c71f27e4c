"""What Argo CD and Flux make of an object of ours, by the very files that are shipped for them."""

from pathlib import Path
from typing import Any

import cel
import yaml
from lupa import lua51

Object = dict[str, Any]

ROOT = Path(__file__).parents[2]
ARGOCD = ROOT / "gitops/argocd/resource_customizations/daap.io"
"""A folder for each kind, as in Argo CD's own repository."""
LUA = ARGOCD / "DaapDatabase" / "health.lua"
"""The script that those of all kinds are copies of."""
FLUX = ROOT / "gitops/flux/health-check-exprs.yaml"


def argocd(obj: Object) -> Object:
    """Status and message, by the Lua: version 5.1 without libraries but those Argo CD opens."""
    lua = lua51.LuaRuntime(unpack_returned_tuples=True, register_eval=False)
    lua.execute("io, os, debug, package, require, dofile, loadfile, python = nil")
    lua.globals().obj = lua.table_from(obj, recursive=True)
    told = lua.execute((ARGOCD / obj["kind"] / LUA.name).read_text())
    return {str(key): value for key, value in told.items()}


def flux(obj: Object) -> str:
    """`Current`, `InProgress` or `Failed`, by the CEL, in the order in which Flux asks.

    https://fluxcd.io/flux/cheatsheets/cel-healthchecks/
    """
    status, metadata = obj.get("status", {}), obj["metadata"]
    if status.get("observedGeneration", metadata["generation"]) != metadata["generation"]:
        return "InProgress"
    return flux_expressions(obj)


def flux_expressions(obj: Object) -> str:
    """The same by the expressions alone; the fields of the object are their variables."""
    (custom,) = (
        each
        for each in yaml.safe_load(FLUX.read_text())["healthCheckExprs"]
        if (each["apiVersion"], each["kind"]) == (obj["apiVersion"], obj["kind"])
    )
    for field, result in (
        ("inProgress", "InProgress"),
        ("failed", "Failed"),
        ("current", "Current"),
    ):
        holds = cel.evaluate(custom[field], obj)
        assert isinstance(holds, bool), (field, holds)
        if holds:
            return result
    return "InProgress"
