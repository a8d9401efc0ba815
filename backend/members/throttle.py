"""Failed logins are counted for each address, so that nobody can try secrets in a hurry."""

import ipaddress
import math
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from threading import Lock

from backend.errors import TooManyAttempts

PERIOD_S = 60.0
# Bounds on memory; whoever fills them forgets the oldest.
MOST_ADDRESSES = 10_000
MOST_GOOD = 1_000
# One customer of an IPv6 network holds this many leading bits, and any address below them.
IPV6_PREFIX = 64


class FailedLogins:
    """Failures of the last minute by address, of this process. A token that was good lately is not held back."""

    def __init__(self, per_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._limit = per_minute
        self._clock = clock
        self._failures: OrderedDict[str, deque[float]] = OrderedDict()
        self._good: OrderedDict[str, None] = OrderedDict()
        self._lock = Lock()

    def check(self, address: str, token: str = "") -> None:
        """Raise TooManyAttempts where the address has failed too often; `token` is the hash of what it tries."""
        with self._lock:
            if token in self._good:
                return
            times = self._failures.get(_network(address), deque())
            while times and times[0] <= self._clock() - PERIOD_S:
                times.popleft()
            if len(times) >= self._limit:
                raise TooManyAttempts(math.ceil(times[0] + PERIOD_S - self._clock()))

    def failed(self, address: str) -> None:
        """Count a failure."""
        with self._lock:
            times = self._failures.setdefault(_network(address), deque(maxlen=self._limit))
            times.append(self._clock())
            _keep(self._failures, _network(address), MOST_ADDRESSES)

    def succeeded(self, token: str) -> None:
        """Remember the hash of a token that was good: the failures of a neighbour shall not stop a running script."""
        with self._lock:
            self._good[token] = None
            _keep(self._good, token, MOST_GOOD)

    def was_good(self, token: str) -> bool:
        """Whether a token of this hash was good lately."""
        with self._lock:
            return token in self._good

    def forget(self, token: str) -> None:
        """A token that is no longer good."""
        with self._lock:
            self._good.pop(token, None)


def _keep(entries: "OrderedDict[str, deque[float]] | OrderedDict[str, None]", newest: str, most: int) -> None:
    entries.move_to_end(newest)
    while len(entries) > most:
        entries.popitem(last=False)


def _network(address: str) -> str:
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv6Address):
        mapped = parsed.ipv4_mapped
        return str(mapped or ipaddress.ip_network((parsed, IPV6_PREFIX), strict=False))
    return str(parsed)
