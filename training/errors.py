"""What the command line answers with one line and status 1."""


class TrainingError(Exception):
    """No model comes of this run, or no report; says why in one line."""


class DataError(TrainingError):
    """The rows cannot be used: names the file, and where it can the row, the value and the rule."""


class CannotFit(TrainingError):
    """No usable line comes out of these rows with these options."""


class PeerLost(TrainingError):
    """Another process of the run has ended."""


def one_line(error: BaseException) -> str:
    """What it says, without what follows in further lines."""
    return str(error).strip().partition("\n")[0]
