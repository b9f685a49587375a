"""What can stop the platform from starting, told so that the person at the console can act."""


class SetupError(Exception):
    """The message says what is wrong and what to do; it is shown without a traceback."""
