"""What a file is called that somebody downloads."""

import re
import unicodedata
from urllib.parse import quote

FORBIDDEN = re.compile(r'[\x00-\x1f\x7f/\\:*?"<>|]+')
LONGEST_BYTES = 180


def file_name(name: str) -> str:
    """A name that every system takes, as near to the one given as it can be: `…/a:b.edl` → `…_a_b.edl`."""
    stem, dot, suffix = name.rpartition(".")
    kept = FORBIDDEN.sub("_", unicodedata.normalize("NFC", stem if dot else suffix)).strip(" .")
    short = kept.encode(errors="replace")[:LONGEST_BYTES].decode(errors="ignore").strip(" .") or "list"
    return f"{short}.{suffix}" if dot else short


def disposition(name: str) -> str:
    """`Content-Disposition` for a download, any letters included (RFC 6266, RFC 5987)."""
    plain = unicodedata.normalize("NFKD", file_name(name)).encode("ascii", "ignore").decode()
    plain = plain if not plain.startswith(".") else f"list{plain}"
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(file_name(name), safe='')}"
