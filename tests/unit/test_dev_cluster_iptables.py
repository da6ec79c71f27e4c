"""Which iptables rules a deleted node takes with it."""

import pytest

from dev.cluster import iptables

DEFAULT = ":PREROUTING ACCEPT [0:0]\n:POSTROUTING ACCEPT [0:0]\n"
FOREIGN = r"""
:CNI-aaaa - [0:0]
-A POSTROUTING -s 10.9.0.2/32 -m comment --comment "name: \"other\" id: \"1\"" -j CNI-aaaa
-A CNI-aaaa -d 10.9.0.0/24 -m comment --comment "name: \"other\" id: \"1\"" -j ACCEPT
-A POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE
"""
OURS = r"""
:KUBE-SERVICES - [0:0]
:KUBE-KUBELET-CANARY - [0:0]
-A PREROUTING -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
-A POSTROUTING -s 10.244.0.0/24 ! -d 10.244.0.0/24 -m comment --comment ours -j MASQUERADE
-A KUBE-SERVICES -d 10.96.0.1/32 -j DROP
"""
HOST_PORT = r"""
:CNI-HOSTPORT-DNAT - [0:0]
:CNI-DN-NAME - [0:0]
-A PREROUTING -m addrtype --dst-type LOCAL -j CNI-HOSTPORT-DNAT
-A CNI-HOSTPORT-DNAT -m comment --comment "dnat name: \"NETWORK\" id: \"1\"" -j CNI-DN-NAME
-A CNI-DN-NAME -p tcp -m tcp --dport 80 -j DNAT --to-destination 10.244.0.5:80
"""


def host_port(network: str) -> str:
    return HOST_PORT.replace("NETWORK", network).replace("NAME", network)


def remains(saved: str) -> str:
    """What is left of the table after the removals, which must be possible in their order."""
    lines = saved.split("\n")
    for verb, *words in iptables.removals(saved, "ours"):
        if verb == "-X":
            chain = words[0]
            assert not [line for line in lines if chain in line.split() and line[0] == "-"]
            lines = [line for line in lines if not line.startswith(f":{chain} ")]
        else:
            rule = next(
                line
                for line in lines
                if line.replace('\\"', "").replace('"', "").split()
                == ["-A", *" ".join(words).replace('"', "").split()]
            )
            lines.remove(rule)
    return "\n".join(lines)


@pytest.mark.parametrize("foreign", ["", FOREIGN, host_port("other")], ids=["none", "cni", "ports"])
@pytest.mark.parametrize("ours", [OURS, host_port("ours"), OURS + host_port("ours")])
def test_ours_goes_and_others_stays(ours: str, foreign: str) -> None:
    left = [line for line in remains(DEFAULT + ours + foreign).split("\n") if line]
    assert sorted(set(left)) == sorted({line for line in (DEFAULT + foreign).split("\n") if line})


def test_a_table_without_our_rules_is_left_alone() -> None:
    assert iptables.removals(DEFAULT + FOREIGN, "ours") == []


def test_rules_are_deleted_before_their_chains() -> None:
    verbs = [verb for verb, *_ in iptables.removals(DEFAULT + OURS, "ours")]
    assert verbs == sorted(verbs)


def test_quoted_comments_are_one_word() -> None:
    commands = iptables.removals(DEFAULT + host_port("ours"), "ours")
    assert 'dnat name: "ours" id: "1"' in [word for command in commands for word in command]
