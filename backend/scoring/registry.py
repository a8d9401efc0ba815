"""The scorers there are. A new one is a file with a `Prior` (or anything with its `score`) and a line here."""

from backend.scoring.compelling import COMPELLING
from backend.scoring.prior import Prior
from backend.scoring.viral import VIRAL

SCORERS: dict[str, Prior] = {
    "viral": VIRAL,
    "compelling": COMPELLING,
}
