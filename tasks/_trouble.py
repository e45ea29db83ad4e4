"""What the system refuses, in one line that says what to do."""

from __future__ import annotations

import errno

_DONE = "what is done is kept"

_WHAT_TO_DO = {
    errno.ENOSPC: f"the disk is full; make room and run again, {_DONE}",
    errno.EDQUOT: f"the disk quota is used up; make room and run again, {_DONE}",
    errno.EEXIST: "is a file, and a folder is needed there; move it away and run again",
    errno.ENOTDIR: "has a file above it where a folder is needed; move that away and run again",
    errno.EISDIR: "is a folder, and a file is needed there; move it away and run again",
    **dict.fromkeys(
        (errno.EROFS, errno.EACCES, errno.EPERM),
        "cannot be opened or written; the workspace must be writable (raw/ need not be)",
    ),
}


def in_words(error: OSError) -> str:
    """Return what *error* means for the user, with the file that it is about."""
    file = error.filename2 or error.filename
    said = _WHAT_TO_DO.get(error.errno or 0) or str(error.strerror or error)
    return f"{file}: {said}" if file else said
