"""How many examples the random tests try.

The suite tries the same ones always, so that nothing depends on what is drawn by lot; the profile `thorough`
(`scripts/bench thorough`) tries others each time, and more of those that cost most.
"""

from hypothesis import HealthCheck, settings

SUITE, THOROUGH = "suite", "thorough"

# How long an example takes says nothing on a machine that does other things too.
settings.register_profile(SUITE, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile(THOROUGH, settings.get_profile(SUITE), derandomize=False, print_blob=True)


def examples(usual: int, thorough: int) -> int:
    """So many in the suite, so many where it is to be thorough."""
    return thorough if settings.get_current_profile_name() == THOROUGH else usual
