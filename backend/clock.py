"""A moment of a film as people read it."""


def clock(second: float) -> str:
    """Whole seconds begun as m:ss, or h:mm:ss from an hour on.

    >>> clock(72.4)
    '1:12'
    """
    whole = max(0, int(second + 1e-6))
    hours, minutes, seconds = whole // 3600, whole // 60 % 60, whole % 60
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
