"""Runs one measurement of `scripts/benches`: `bench.py [NAME [--json] [ARGUMENT...]]`.

A bench is a file with `run(args: list[str]) -> dict`. The dictionary holds what was measured (`--json` prints it) and
`lines`, the same for people. Its docstring's first line is what the list shows.
"""

import ast
import importlib.util
import json
import sys
from pathlib import Path

BENCHES = Path(__file__).resolve().parents[1] / "benches"


def known() -> dict[str, str]:
    """Every bench there is and the first line of its docstring."""
    files = sorted(file for file in BENCHES.glob("*.py") if not file.stem.startswith("_"))
    return {file.stem: (ast.get_docstring(ast.parse(file.read_text())) or "").partition("\n")[0] for file in files}


def main(arguments: list[str]) -> int:
    """0 after a run or the list, 2 for an unknown name."""
    benches = known()
    if not arguments or arguments[0] in ("-h", "--help"):
        print("scripts/bench NAME [--json] [ARGUMENT...]")
        for name, about in benches.items():
            print(f"  {name:<12} {about}")
        return 0
    name, *rest = arguments
    if name not in benches:
        print(f"Unknown bench {name!r}; known: {', '.join(benches) or 'none yet'}.", file=sys.stderr)
        return 2
    measured = load(name).run([argument for argument in rest if argument != "--json"])
    lines = measured.pop("lines")
    print(json.dumps(measured, indent=2) if "--json" in rest else "\n".join(lines))
    return 0


def load(name: str):
    """The module of one bench."""
    spec = importlib.util.spec_from_file_location(f"bench_{name}", BENCHES / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
