"""Errors that the command line prints in one line, with exit status 1."""

from collections.abc import Iterable


class TrainingError(Exception):
    """The run ends without a model or without a report; the message is one printable line.

    `more` are further lines; with `options` added the same command is likely to work.
    """

    def __init__(
        self, message: str, more: "Iterable[str]" = (), options: "Iterable[str]" = ()
    ) -> None:
        super().__init__(printable(message))
        self.more = tuple(map(printable, more))
        self.options = tuple(options)


class DataError(TrainingError):
    """The rows cannot be used; names the file and, if it can, the row, the value and the rule."""


class CannotFit(TrainingError):
    """These rows and options give no usable line."""


class PeerLost(TrainingError):
    """Another process of the run has ended."""


def one_line(error: BaseException) -> str:
    """The first line of an error's message."""
    return str(error).strip().partition("\n")[0]


def counted(number: int, what: str = "row") -> str:
    """A number with its noun, such as 1 row or 2 rows."""
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def printable(text: str) -> str:
    """The text with control characters, which could move a terminal's cursor, as escapes."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def disk_error(error: OSError) -> str:
    """Why the disk refused to write; of BentoML's list of files the first is named."""
    if error.args and isinstance(error.args[0], list):
        _, path, reason = error.args[0][0]
        return f"{path}: cannot be written: {str(reason).rpartition('] ')[2].partition(':')[0]}"
    path = f"{error.filename}: " if error.filename else ""
    return f"{path}{error.strerror or error}; nothing is saved"
