"""What the containers must not be able to do, asked of the running ones."""

import json
from collections.abc import Callable

from stack import Stack, require

SERVICES = ("api", "worker", "trainer", "postgres", "chroma")
OWN = ("api", "worker", "trainer")


def check(stack: Stack, tell: Callable[[str], None]) -> None:
    """Raise Failed for a port too many, a root that can be written, a right that is left, a tool that builds."""
    for service in SERVICES:
        (container,) = stack.containers(service)
        known = json.loads(stack.run("docker", "inspect", container).stdout)[0]
        ports = [port for port in known["NetworkSettings"]["Ports"].values() if port]
        require(len(ports) == (service == "api"), f"{service} publishes {ports}")
        host = known["HostConfig"]
        require(host["ReadonlyRootfs"] and not host["Privileged"], f"{service} may write its root")
        require(host["CapDrop"] == ["ALL"], f"{service} keeps {host['CapDrop']}")
        require("no-new-privileges:true" in host["SecurityOpt"], f"{service} may gain rights")
        require(host["Memory"] > 0, f"{service} has no limit of memory")
    for service in OWN:
        require(stack.inside(service, "id", "-u") == "10001", f"{service} runs as another user")
        rights = stack.inside(service, "grep", "CapEff", "/proc/self/status").split()[1]
        require(int(rights, 16) == 0, f"{service} has the rights {rights}")
        for place in ("/x", "/srv/selects/x", "/srv/venv/x"):
            said = stack.compose("exec", "-T", service, "touch", place, check=False)
            require(said.returncode != 0, f"{service} could write {place}")
    found = stack.inside("api", "sh", "-c", "command -v gcc cc make pip pip3 git curl || true")
    require(not found, f"tools in the image: {found}")
    out = "exec 3<>/dev/tcp/1.1.1.1/80 || exec 3<>/dev/tcp/172.17.0.1/80"
    for service in ("postgres", "chroma"):
        said = stack.compose("exec", "-T", service, "timeout", "3", "bash", "-c", out, check=False)
        require(said.returncode != 0, f"{service} reaches the world")
    tell("one port, read-only roots, no rights, no tools; rows and vectors on an inner network")
