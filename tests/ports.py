"""Ports for servers that tests start."""

import random
import socket
from pathlib import Path

LOWEST = 12_000
OUTGOING = Path("/proc/sys/net/ipv4/ip_local_port_range")


def free_port() -> int:
    """A port on which nobody listens, and which the system gives to no outgoing connection.

    A server takes seconds to listen on it: a port of those that the system gives away may belong to another by then.
    """
    first = int(OUTGOING.read_text().split()[0]) if OUTGOING.exists() else 0
    while True:
        port = random.SystemRandom().randrange(LOWEST, first) if first > LOWEST + 1000 else 0
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
