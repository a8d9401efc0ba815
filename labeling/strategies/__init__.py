"""What to ask next: one query strategy a file, functions over numpy arrays that know no database."""

from labeling.strategies.pool import Pool
from labeling.strategies.registry import DEFAULT, STRATEGIES, Strategy, strategy_named

__all__ = ["DEFAULT", "STRATEGIES", "Pool", "Strategy", "strategy_named"]
