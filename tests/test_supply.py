"""What Selects is made of: the committed list fits the pins, and known vulnerabilities are asked after for real."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.command import ROOT
from tests.test_house import canonical, pins

TOOL = ROOT / ".venv" / "tools" / "bin" / "pip-audit"
FLAW = {
    "id": "GHSA-0000-1111-2222",
    "aliases": ["CVE-2026-0001"],
    "summary": "For this test.",
    "affected": [
        {
            "package": {"name": "idna", "ecosystem": "PyPI"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "99.0"}]}],
        }
    ],
}
NOWHERE = "http://127.0.0.1:1"


def bom() -> Any:
    return json.loads((ROOT / "docs" / "sbom.cdx.json").read_text())


def test_the_list_of_dependencies_is_that_of_the_pins() -> None:
    wanted = {canonical(name): version for name, version in pins("requirements.txt").items()}
    listed = {canonical(part["name"]): part["version"] for part in bom()["components"]}
    assert listed == wanted, "run scripts/sbom"
    rows = [line.split(" | ") for line in (ROOT / "docs" / "dependencies.md").read_text().splitlines()]
    table = {canonical(row[0].removeprefix("| ")): row[1] for row in rows if len(row) == 3 and row[1] != "version"}
    assert table == wanted, "run scripts/sbom"


def test_every_dependency_has_a_licence_and_a_name_that_programs_know() -> None:
    for part in bom()["components"]:
        assert part["licenses"], part["name"]
        assert part["purl"] == f"pkg:pypi/{canonical(part['name'])}@{part['version']}"
    refs = {part["bom-ref"] for part in bom()["components"]}
    assert {ref for each in bom()["dependencies"] for ref in (each["ref"], *each["dependsOn"])} <= refs


@contextmanager
def database(known: dict[str, Any]) -> Iterator[str]:
    """The address of a database in OSV's protocol that knows one flaw of these packages."""

    class Answer(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["package"]["name"]
            body = json.dumps({"vulns": [known[asked]]} if asked in known else {}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1/query"
    finally:
        server.shutdown()
        server.server_close()


def audit(tmp_path: Path, address: str, accepted: str = "") -> subprocess.CompletedProcess[str]:
    if not TOOL.exists():
        pytest.skip("NO .venv/tools: scripts/check makes it")
    (tmp_path / "pins.txt").write_text("certifi==2026.10.18\nidna==3.20\n")
    (tmp_path / "accepted.txt").write_text(f"# Comments are left out.\n{accepted}")
    # PyPI is out of reach of this call, wherever it runs.
    proxies = {"HTTPS_PROXY": NOWHERE, "https_proxy": NOWHERE, "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}
    return subprocess.run(
        [sys.executable, ROOT / "scripts" / "lib" / "audit.py", tmp_path / "pins.txt", tmp_path / "accepted.txt"],
        env={**os.environ, **proxies, "PIP_AUDIT_OSV_URL": address},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_known_vulnerability_fails_unless_it_is_accepted_with_a_reason(tmp_path: Path) -> None:
    with database({"idna": FLAW}) as address:
        open_ = audit(tmp_path, address)
        assert open_.returncode == 1
        assert "VULNERABLE idna 3.20: " in open_.stdout
        assert "mended in 99.0" in open_.stdout
        accepted = audit(tmp_path, address, "CVE-2026-0001 names never come from outside\n")
        assert accepted.returncode == 0, accepted.stdout + accepted.stderr
        assert "2 pins compared with OSV: 0 open, 1 accepted" in accepted.stdout
        unreasoned = audit(tmp_path, address, "CVE-2026-0001\n")
        assert unreasoned.returncode == 1
        assert "CVE-2026-0001 has no reason" in unreasoned.stderr


def test_an_accepted_vulnerability_that_is_gone_is_told(tmp_path: Path) -> None:
    with database({}) as address:
        clean = audit(tmp_path, address, "CVE-2026-0001 names never come from outside\n")
    assert clean.returncode == 0
    assert "nothing has CVE-2026-0001 any more" in clean.stdout
    assert "2 pins compared with OSV: 0 open" in clean.stdout


def test_without_a_database_the_check_says_so_in_one_line(tmp_path: Path) -> None:
    skipped = audit(tmp_path, f"{NOWHERE}/v1/query")
    assert (skipped.returncode, skipped.stderr) == (0, "")
    assert skipped.stdout.count("\n") == 1
    assert skipped.stdout.startswith("SKIPPED vulnerabilities: neither PyPI nor OSV can be reached")
