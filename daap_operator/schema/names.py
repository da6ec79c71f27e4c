"""Names in a parse tree, as SQL writes them. Pure."""

import re
from collections.abc import Sequence

from daap_operator.schema.tree import Tree

_PLAIN = re.compile(r"[a-z_][a-z0-9_]*")


def quoted(name: str) -> str:
    """An identifier; in double quotes where it would not be read as it is."""
    return name if _PLAIN.fullmatch(name) else '"' + name.replace('"', '""') + '"'


def dotted(parts: Sequence[str]) -> str:
    """A qualified name, `app."Order"`; empty parts are left out."""
    return ".".join(quoted(part) for part in parts if part)


def relation(node: Tree) -> str:
    """The name of a RangeVar, with its schema if it has one."""
    return dotted([node.schemaname, node.relname])


def strings(nodes: Sequence[Tree]) -> list[str]:
    """A list of String nodes."""
    return [node.string.sval for node in nodes]


def object_name(node: Tree) -> str:
    """The name of what DROP or COMMENT names: a list of strings, a type, a function, or one."""
    match node.WhichOneof("node"):
        case "list":
            return dotted(strings(node.list.items))
        case "type_name":
            return dotted(strings(node.type_name.names))
        case "object_with_args":
            return dotted(strings(node.object_with_args.objname))
        case "string":
            return quoted(node.string.sval)
        case _:
            return ""


def options(nodes: Sequence[Tree]) -> dict[str, str]:
    """Options in brackets by name, in lower case, as in `WITH (connect = false)`; bare ones ''."""
    return {node.def_elem.defname.lower(): _value(node.def_elem) for node in nodes}


def _value(element: Tree) -> str:
    if not element.HasField("arg"):
        return ""
    match element.arg.WhichOneof("node"):
        case "string":
            return str(element.arg.string.sval).lower()
        case "integer":
            return str(element.arg.integer.ival)
        case "type_name":  # a bare word, as in `create_slot = off`
            return str(element.arg.type_name.names[-1].string.sval).lower()
        case "boolean":
            return "true" if element.arg.boolean.boolval else "false"
        case _:
            return ""


def switched_on(given: dict[str, str], option: str, *, default: bool = False) -> bool:
    """Whether an option that is true or false is given as true, a bare one included."""
    if option not in given:
        return default
    return given[option] not in {"false", "off", "0", "no"}
