"""A network of its own: each node in a network name space, all on a bridge, and rules that cut who does not hear whom.

Everything is made in the name space that the program runs in (scripts/chaos-cluster makes one): whatever happens, none is left.
"""

import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "ConformanceTests"))

from processes import Place  # noqa: E402

BRIDGE, TABLE = "ottla0", "ottla"
SUBNET = "10.77.0"
# The address of the bridge itself: of the clients, and of the program.
CLIENTS = f"{SUBNET}.254"


def _run(*command, input=None):
    done = subprocess.run(command, input=input, capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, f"{' '.join(command)}: {done.stderr.strip()}"
    return done.stdout


RULES = f"""
table bridge {TABLE} {{
  set deaf {{
    type ipv4_addr . ipv4_addr
  }}
  chain forward {{
    type filter hook forward priority 0; policy accept;
    ip saddr . ip daddr @deaf drop
  }}
  chain input {{
    type filter hook input priority 0; policy accept;
    ip saddr . ip daddr @deaf drop
  }}
  chain output {{
    type filter hook output priority 0; policy accept;
    ip saddr . ip daddr @deaf drop
  }}
}}
"""


class Network:
    """`node` adds a machine; `cut` and `heal` say whose packets do not arrive where."""

    def __init__(self):
        self.count = 0
        _run("ip", "link", "set", "lo", "up")
        _run("ip", "link", "add", BRIDGE, "type", "bridge")
        _run("ip", "address", "add", f"{CLIENTS}/24", "dev", BRIDGE)
        _run("ip", "link", "set", BRIDGE, "up")
        _run("nft", "-f", "-", input=RULES)

    def node(self, name):
        """A place with an address of its own."""
        self.count += 1
        address, end = f"{SUBNET}.{self.count}", f"node{self.count}"
        _run("ip", "netns", "add", name)
        _run("ip", "link", "add", end, "type", "veth", "peer", "name", "eth0", "netns", name)
        _run("ip", "link", "set", end, "master", BRIDGE, "up")
        _run("ip", "-n", name, "address", "add", f"{address}/24", "dev", "eth0")
        for device in ("lo", "eth0"):
            _run("ip", "-n", name, "link", "set", device, "up")
        # Not `ip netns exec`: that would copy the mounts, and a disk that is unmounted here would stay mounted there.
        return Place(address, ["nsenter", f"--net=/run/netns/{name}", "--"])

    def cut(self, pairs):
        """Packets from the first address of each pair do not reach the second."""
        elements = ", ".join(f"{source} . {target}" for source, target in sorted(set(pairs)))
        if elements:
            _run("nft", f"add element bridge {TABLE} deaf {{ {elements} }}")

    def heal(self):
        _run("nft", f"flush set bridge {TABLE} deaf")


def both_ways(pairs):
    return [pair for source, target in pairs for pair in ((source, target), (target, source))]
