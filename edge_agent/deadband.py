"""Whether a value differs enough from the last one that was kept. Pure."""


def differs(kept: float | None, value: float, deadband: float) -> bool:
    """With a deadband of 0 every value is kept, a repetition too."""
    return kept is None or deadband == 0 or abs(value - kept) > deadband
