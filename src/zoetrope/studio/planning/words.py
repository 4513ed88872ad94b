"""Lengths of time, as people say them."""

_STEPS = ((86_400, "day"), (3_600, "hour"), (60, "minute"))


def lasting(seconds: float) -> str:
    """About how long: in its largest unit, a little upwards."""
    for size, name in _STEPS:
        if seconds >= size:
            count = round(seconds / size)
            return f"about {count} {name}{'' if count == 1 else 's'}"
    return "less than a minute"
