"""How a command ends that cannot do its work."""

from typing import Any

Options = dict[str, Any]
"""The parsed command line by option name; an option that was not given is absent or `None`."""


class Failure(Exception):
    """One sentence about what went wrong and one about what to do. `misuse`: the command was given wrongly."""

    def __init__(self, sentence: str, misuse: bool = False) -> None:
        super().__init__(sentence)
        self.misuse = misuse
