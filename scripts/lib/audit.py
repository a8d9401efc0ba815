"""Compares the pins with a database of known vulnerabilities, where one can be reached: `audit.py [PINS [ACCEPTED]]`.

0 where nothing is known against the pins, or no database answers (one line says so); 1 for a vulnerability that
`accepted-vulnerabilities.txt` does not list with a reason.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
TOOL = ROOT / ".venv" / "tools" / "bin" / "pip-audit"
ACCEPTED = Path(__file__).resolve().parent / "accepted-vulnerabilities.txt"
DATABASES = {"pypi": "PyPI", "osv": "OSV"}
PROBE_LIMIT_S, LIMIT_S = 15, 300
SOCKET_S = 5


def main(arguments: list[str]) -> int:
    """Ask the first database that answers about all pins."""
    pins = Path(arguments[0]) if arguments else ROOT / "requirements.txt"
    if not TOOL.exists():
        print(f"SKIPPED vulnerabilities: {TOOL.relative_to(ROOT)} is not installed.")
        return 0
    accepted = read_accepted(Path(arguments[1]) if len(arguments) > 1 else ACCEPTED)
    for service, name in DATABASES.items():
        # One package first: a database that cannot be reached keeps nobody waiting for each of them.
        if asked(service, pins.read_text().split()[:1], PROBE_LIMIT_S) is None:
            continue
        found = asked(service, pins.read_text().split(), LIMIT_S)
        if found is not None:
            return judged(found, accepted, name)
    names = " nor ".join(DATABASES.values())
    print(f"SKIPPED vulnerabilities: neither {names} can be reached from here; {pins.name} was not compared with any.")
    return 0


def asked(service: str, pins: list[str], limit_s: float) -> list[dict[str, Any]] | None:
    """What a database says of pins, a row each; None where it does not know a single one: then it was not asked."""
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
        file.write("\n".join(pins))
        file.flush()
        call = [TOOL, "-r", file.name, "--no-deps", "--disable-pip", "-s", service, "-f", "json"]
        call += ["--timeout", str(SOCKET_S), "--progress-spinner", "off", "--desc", "off"]
        try:
            done = subprocess.run(call, capture_output=True, text=True, timeout=limit_s, check=False)
            rows: list[dict[str, Any]] = json.loads(done.stdout)["dependencies"]
        except (subprocess.TimeoutExpired, ValueError, KeyError):
            return None
    # A mirror of PyPI without this part answers "not found" to everything, and the tool calls that clean.
    return rows if any("skip_reason" not in row for row in rows) else None


def judged(rows: list[dict[str, Any]], accepted: Mapping[str, str], database: str) -> int:
    """Say what was found; 1 where something is not accepted."""
    open_, met = [], set[str]()
    for row in rows:
        for known in row.get("vulns", ()):
            names = {known["id"], *known.get("aliases", ())}
            met |= names & accepted.keys()
            if not names & accepted.keys():
                mended = ", ".join(known.get("fix_versions", ())) or "no version yet"
                open_.append(f"{row['name']} {row['version']}: {known['id']}, mended in {mended}")
    left_out = [row["name"] for row in rows if "skip_reason" in row]
    for line in open_:
        print(f"VULNERABLE {line}; raise the pin, or list it with a reason in scripts/lib/{ACCEPTED.name}")
    for name in sorted(accepted.keys() - met):
        print(f"{ACCEPTED.name}: nothing has {name} any more; its line can go.")
    unknown = f", {len(left_out)} unknown there ({', '.join(left_out)})" if left_out else ""
    print(f"{len(rows) - len(left_out)} pins compared with {database}{unknown}: {len(open_)} open, {len(met)} accepted")
    return 1 if open_ else 0


def read_accepted(file: Path) -> dict[str, str]:
    """Id → why it does not matter here, a line each; raises SystemExit for one without a reason."""
    found = {}
    for line in file.read_text().splitlines():
        name, _, reason = line.partition(" ")
        if not name or name.startswith("#"):
            continue
        if not reason.strip():
            raise SystemExit(f"{file.name}: {name} has no reason.")
        found[name] = reason.strip()
    return found


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
