"""The iptables rules of a node: which of those on the machine are ours to take away.

Others' rules stay, also those that the same CNI plugins made for other networks.
"""

import re
import shlex

from dev.cluster.commands import ask

TABLES = ("nat", "mangle", "filter")
HOST_PORTS = "CNI-HOSTPORT-"
"""The chains that the portmap plugin shares between networks."""


def clear(network: str) -> None:
    """Take away the rules of kube-proxy, of the kubelet and of the CNI network."""
    for table in TABLES:
        for command in removals(ask("iptables-save", "-t", table), network):
            ask("iptables", "-w", "-t", table, *command)


def removals(saved: str, network: str) -> list[list[str]]:
    """The iptables commands that take our rules out of one table.

    `saved` is what iptables-save printed of it. Rules go first, then the chains without any.
    """
    rules = re.findall(r"^-A (.+)$", saved, re.MULTILINE)
    named = [rule for rule in rules if f'name: \\"{network}\\"' in rule or _comment(rule, network)]
    chains = {target for rule in named for target in re.findall(r"-j (CNI-\S+)", rule)}
    ours = [rule for rule in rules if rule in named or _chain(rule) in chains or _kube(rule)]
    left = [rule for rule in rules if rule not in ours]
    if not any(_chain(rule).startswith(("CNI-DN-", f"{HOST_PORTS}DNAT")) for rule in left):
        ours += [rule for rule in left if HOST_PORTS in rule]
        left = [rule for rule in left if HOST_PORTS not in rule]
    unused = [
        chain
        for chain in re.findall(r"^:(\S+)", saved, re.MULTILINE)
        if (chain in chains or chain.startswith(("KUBE-", HOST_PORTS)))
        and not any(chain in rule.split() for rule in left)
    ]
    return [["-D", *shlex.split(rule)] for rule in ours] + [["-X", chain] for chain in unused]


def _chain(rule: str) -> str:
    return rule.split(" ", 1)[0]


def _kube(rule: str) -> bool:
    return _chain(rule).startswith("KUBE-") or " -j KUBE-" in rule


def _comment(rule: str, network: str) -> bool:
    return f"--comment {network} " in rule
