"""Lengths of time, as people say them."""

from django.template.defaultfilters import pluralize

_STEPS = ((86_400, "day"), (3_600, "hour"), (60, "minute"))


def lasting(seconds: float) -> str:
    """About how long: in its largest unit, a little upwards."""
    for size, name in _STEPS:
        if seconds >= size:
            count = round(seconds / size)
            return f"about {count} {name}{pluralize(count)}"
    return "less than a minute"
