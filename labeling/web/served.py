"""The static files of the pages, under an address that changes whenever one of them does."""

import hashlib
from pathlib import Path
from typing import Any

from starlette.responses import Response
from starlette.staticfiles import StaticFiles

FOLDER = Path(__file__).parent / "static"
FOREVER = "private, max-age=31536000, immutable"


class Unchanging(StaticFiles):
    """Files that browsers may keep for ever."""

    def file_response(self, *given: Any, **more: Any) -> Response:
        """The answer with a file."""
        response = super().file_response(*given, **more)
        response.headers["Cache-Control"] = FOREVER
        return response


def version(folder: Path = FOLDER) -> str:
    """What tells these files from those of another version: twelve hexadecimal digits."""
    made = hashlib.sha256()
    for path in sorted(folder.iterdir()):
        made.update(path.name.encode() + b"\0" + path.read_bytes())
    return made.hexdigest()[:12]
