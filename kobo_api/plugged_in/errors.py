"""What can be wrong with a Kobo that is plugged in."""


class PluggedInError(Exception):
    """One sentence about what is wrong and one about what to do. Nothing was changed."""
