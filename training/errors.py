"""What the command line answers with one line and status 1."""

from collections.abc import Iterable


class TrainingError(Exception):
    """No model comes of this run, or no report; says why in one line that a terminal can show.

    `more` are further lines; with `options` the same command is likely to work.
    """

    def __init__(
        self, message: str, more: "Iterable[str]" = (), options: "Iterable[str]" = ()
    ) -> None:
        super().__init__(printable(message))
        self.more = tuple(map(printable, more))
        self.options = tuple(options)


class DataError(TrainingError):
    """The rows cannot be used: names the file, and where it can the row, the value and the rule."""


class CannotFit(TrainingError):
    """No usable line comes out of these rows with these options."""


class PeerLost(TrainingError):
    """Another process of the run has ended."""


def one_line(error: BaseException) -> str:
    """What it says, without what follows in further lines."""
    return str(error).strip().partition("\n")[0]


def counted(number: int, what: str = "row") -> str:
    """So many rows, or whatever else, in words."""
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def printable(text: str) -> str:
    """With what is no character to be seen, such as what moves a terminal's cursor, written out."""
    return "".join(
        each if each.isprintable() else each.encode("unicode_escape").decode() for each in text
    )
