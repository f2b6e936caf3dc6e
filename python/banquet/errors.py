"""What goes wrong in a run of Banquet; the classes stand beside the exit codes of the command."""
from typing import Optional


class BanquetError(Exception):
    """A view, or a whole run, did not succeed. `exit_code` is that of the command: 2, 3, 4, 70, 75, 130 or 143."""

    exit_code = 70

    def __init__(self, message: str, exit_code: Optional[int] = None):
        super().__init__(message)
        if exit_code is not None:
            self.exit_code = exit_code


class UserError(BanquetError):
    """Yours to mend: arguments, configuration, a name or file that does not exist or may not be used."""

    exit_code = 2


class UnsupportedError(UserError):
    """A view that this version of Banquet cannot materialize, where nothing else may."""


class DataError(BanquetError):
    """A missing column, a file or value that cannot be read or converted, a damaged registry."""

    exit_code = 3


class RemoteError(BanquetError):
    """A server, disk or other process that did not do its part; the same run again may help and does no harm."""

    exit_code = 4


class BugError(BanquetError):
    """A bug of Banquet, or a report that does not add up."""

    exit_code = 70


class HeldError(BanquetError):
    """Another run holds the view."""

    exit_code = 75


class CancelledError(BanquetError):
    """The run was stopped by a signal; nothing half done is recorded."""

    exit_code = 143


_BY_EXIT_CODE = {kind.exit_code: kind for kind in (UserError, DataError, RemoteError, BugError, HeldError)}


def error_of(message: str, exit_code: int) -> BanquetError:
    """The error that an exit code of the command stands for."""
    if exit_code in (130, 143):
        return CancelledError(message, exit_code)
    return _BY_EXIT_CODE.get(exit_code, BanquetError)(message, exit_code)
