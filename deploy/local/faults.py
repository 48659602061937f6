"""What can go wrong on somebody's machine, each as one sentence that says what to do.

A `Fault` reaches the user as its text on stderr and exit code 1, never as a traceback.
"""

import errno
import sys
from collections.abc import Callable


class Fault(Exception):  # noqa: N818 - not an error of ours, but of the place we run in
    """Something outside the program stops it; the text is the whole message."""


def describe(error: OSError) -> str:
    """Say an operating system error in one sentence, with the file it is about."""
    place = error.filename or "the local city's folder"
    if error.errno == errno.ENOSPC:
        return f"The disk is full ({place}): free some space and run again."
    if error.errno in {errno.EDQUOT, errno.EFBIG}:
        return f"No more may be written at {place}: raise the quota and run again."
    if error.errno in {errno.EACCES, errno.EPERM, errno.EROFS}:
        return f"{place} cannot be written: choose a writable folder with SANWU_HOME."
    return f"{error.strerror or error} ({place})."


def told(error: BaseException) -> str:
    """Say whatever stopped some work, in one sentence: of several the first."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    if isinstance(error, Fault):
        return str(error)
    if isinstance(error, OSError):
        return describe(error)
    return f"{type(error).__name__}: {' '.join(str(error).split()) or 'no more is known'}"


def guarded(run: Callable[[], int]) -> int:
    """Run a command; a fault becomes its sentence and exit code 1."""
    try:
        return run()
    except Fault as fault:
        sentence = str(fault)
    except OSError as error:
        sentence = describe(error)
    except KeyboardInterrupt:
        return 130
    sys.stderr.write(f"{sentence}\n")
    return 1
