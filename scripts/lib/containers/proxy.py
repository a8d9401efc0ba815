"""TLS in front of two servers: a page stays with the one that drew it, and nothing else of the stack is reached."""

import json
import re
import ssl
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode

import httpx
from stack import ROOT, Stack, free_port, require, until

FILES = "docker-compose.yml:docker/proxy/compose.yml"
BROWSERS = 16
CLIENT = re.compile(r"""["']client_id["']: ["']([0-9a-f-]{36})["']""")
STAND_IN = """\
FROM debian:bookworm-slim
RUN apt-get update && apt-get install --yes --no-install-recommends nginx-light && rm -rf /var/lib/apt/lists/*
CMD ["nginx", "-g", "daemon off;"]
"""


def check(stack: Stack, folder: Path, tell: Callable[[str], None]) -> None:
    """Bring the stack up as docs/containers.md says, with two servers; raise Failed for a page that its server lost."""
    image = _image(stack)
    with _in_front(stack, folder) as address, _trusting(address, folder) as client:
        until(lambda: True if client.get("/ready").status_code == 200 else None, 60, "the proxy hands on")
        port = stack.environment["HTTP_PORT"]
        plain = httpx.get(f"http://127.0.0.1:{port}/review", trust_env=False)
        require(plain.status_code == 301 and plain.headers["location"].startswith("https://"), "no way from http")
        require(client.get("/metrics").status_code == 404, "/metrics is shown outside")
        servers = [_address(stack, container) for container in stack.containers("api")]
        require(len(servers) == 2, f"{len(servers)} servers instead of 2")
        drew: Counter[str] = Counter()
        for _ in range(BROWSERS):
            with _trusting(address, folder) as browser:
                drew[_draw(browser, stack.token, servers)] += 1
        require(len(drew) == 2, "all browsers came to one server")
        shares = " and ".join(str(count) for count in drew.values())
        tell(f"TLS by {image} in front of 2 servers: {BROWSERS} browsers, {shares}; each page met the server it is of")


def _draw(browser: httpx.Client, token: str, servers: list[str]) -> str:
    """Sign in, get a page, and open its websocket; gives the server that has the page."""
    signed = browser.post("/api/session", json={"token": token}).raise_for_status()
    require("secure" in signed.headers["set-cookie"].lower(), "a session's cookie would travel in the clear")
    cookie = f"selects_session={browser.cookies['selects_session']}"
    found = CLIENT.search(browser.get("/").raise_for_status().text)
    require(found is not None, "the page names no client")
    assert found is not None
    owners = [server for server in servers if _meets(f"ws://{server}:8600", found[1], cookie)]
    require(len(owners) == 1, f"{len(owners)} servers know the page")
    base = str(browser.base_url).rstrip("/").replace("https", "wss", 1)
    require(_meets(base, found[1], cookie), "a page came to a server that does not know it")
    for _ in range(5):
        browser.get("/api/session").raise_for_status()
    return owners[0]


def _meets(base: str, client: str, cookie: str) -> bool:
    """Whether the server that a page's websocket comes to knows the page."""
    from websockets.sync.client import connect

    asked = {"EIO": "4", "transport": "websocket", "client_id": client, "next_message_id": "0"}
    asked |= {"implicit_handshake": "true", "tab_id": client, "document_id": client}
    trust = ssl._create_unverified_context() if base.startswith("wss") else None
    url = f"{base}/_nicegui_ws/socket.io/?{urlencode(asked)}"
    with connect(url, additional_headers={"Cookie": cookie}, ssl=trust, proxy=None) as opened:
        require(str(opened.recv(10)).startswith("0"), "the websocket does not open")
        opened.send("40")
        return str(opened.recv(10)).startswith("40")


@contextmanager
def _in_front(stack: Stack, folder: Path) -> Iterator[str]:
    """The stack behind the proxy, then without it again."""
    more = {"COMPOSE_FILE": FILES, "TLS_FOLDER": str(_certificate(folder / "tls"))}
    more |= {"HTTP_PORT": str(free_port()), "HTTPS_PORT": str(free_port())}
    stack.environment |= more
    address = f"https://127.0.0.1:{more['HTTPS_PORT']}"
    try:
        stack.compose("up", "--wait", "--scale", "api=2")
        yield address
    finally:
        stack.compose("rm", "--stop", "--force", "proxy", check=False)
        for name in more:
            del stack.environment[name]
    stack.up()


@contextmanager
def _trusting(address: str, folder: Path) -> Iterator[httpx.Client]:
    """A browser of its own, which trusts the certificate."""
    trust = ssl.create_default_context(cafile=str(folder / "tls" / "tls.crt"))
    with httpx.Client(base_url=address, verify=trust, timeout=60, trust_env=False) as client:
        yield client


def _certificate(folder: Path) -> Path:
    """A folder with a certificate of this machine, which the proxy's user may read."""
    folder.mkdir(mode=0o755)
    names = ["-subj", "/CN=selects", "-addext", "subjectAltName=IP:127.0.0.1", "-days", "2"]
    files = ["-keyout", str(folder / "tls.key"), "-out", str(folder / "tls.crt")]
    made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", *files, *names]
    subprocess.run(made, check=True, capture_output=True)
    for file in folder.iterdir():
        file.chmod(0o644)
    return folder


def _image(stack: Stack) -> str:
    """The proxy's image, or what stands in for it where none can be pulled: the same program, from Debian."""
    name = re.findall(r"image: (nginx:\S+)", (ROOT / "docker" / "proxy" / "compose.yml").read_text())[0]
    label = ("--format", '{{index .Config.Labels "stand-in"}}')
    there = stack.run("docker", "image", "inspect", *label, name, check=False)
    if not there.returncode and not there.stdout.strip():
        return str(name)
    if there.returncode:
        if not stack.run("docker", "pull", "--quiet", name, check=False).returncode:
            return str(name)
        stack.run("docker", "build", "--quiet", "--label", "stand-in=yes", "--tag", name, "-", input=STAND_IN)
    return f"Debian's nginx in the place of {name}"


def _address(stack: Stack, container: str) -> str:
    """Where a container is on the network that this machine reaches."""
    networks = json.loads(stack.run("docker", "inspect", container).stdout)[0]["NetworkSettings"]["Networks"]
    return next(str(each["IPAddress"]) for name, each in networks.items() if name.endswith("_outer"))
