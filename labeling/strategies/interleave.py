"""Two rankings share one list by team draft, so that those who judge it say which of the two they prefer.

As two captains choose players: in turns each takes the best of its own ranking that is not taken yet, and whatever is
approved then speaks for who took it (Radlinski, Kurup, Joachims 2008). A lot says who is first, once for a draw; after
that the turns go to and fro (first, second, second, first, …), so that neither has the better places, and a draw goes
one of two ways, whose chances are known.
"""

import numpy as np
from numpy.typing import NDArray

from labeling.strategies.pool import Indices

CHAMPION, RIVAL = "champion", "rival"
TEAMS = (CHAMPION, RIVAL)


def team_draft(champion: Indices, rival: Indices, first: str) -> tuple[Indices, NDArray[np.str_]]:
    """One order of all rows from two orders of the same rows, and the team that took each row, [N] by row."""
    orders = {CHAMPION: champion.tolist(), RIVAL: rival.tolist()}
    lead, other = (CHAMPION, RIVAL) if first == CHAMPION else (RIVAL, CHAMPION)
    at, chosen = dict.fromkeys(TEAMS, 0), list[int]()
    teams = np.full(len(champion), "", f"<U{max(map(len, TEAMS))}")
    while len(chosen) < len(champion):
        # 0 3 4 7 8 … are the leader's turns.
        turn = lead if len(chosen) % 4 in (0, 3) else other
        while teams[orders[turn][at[turn]]]:
            at[turn] += 1
        row = orders[turn][at[turn]]
        teams[row] = turn
        chosen.append(row)
    return np.array(chosen, np.int64), teams
