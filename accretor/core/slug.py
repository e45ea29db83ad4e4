"""Names from headers and configuration, made safe for every file system."""

from __future__ import annotations

import functools
import hashlib
import re
import unicodedata

MAX_LENGTH = 64
"""Characters; four slugs and a file name fit into the 260 of a Windows path."""

_DEVICE = re.compile(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\.|$)")


@functools.lru_cache(maxsize=1024)
def slug(text: str) -> str:
    """Turn any text into a name for a file or folder, the same on every system.

    Letters lose their accents, and what is left outside ``A-Z a-z 0-9 . + _ -``
    becomes one hyphen. A slug is its own slug.

    Parameters
    ----------
    text : str
        For example the OBJECT keyword; composed and decomposed accents are equal.

    Returns
    -------
    str
        1 to 64 characters; neither hidden, nor a device of Windows, nor ending in
        a dot. Long texts end in a digest of the whole, so that they stay distinct.
    """
    plain = "".join(
        letter for letter in unicodedata.normalize("NFKD", text) if not unicodedata.combining(letter)
    )
    name = re.sub(r"[^A-Za-z0-9.+_-]+", "-", plain).lstrip(".-").rstrip(".-")
    if not name:
        return f"unnamed-{_digest(text)}" if text.strip() else "unnamed"
    if _DEVICE.match(name):
        name = f"_{name}"
    if len(name) > MAX_LENGTH:
        name = f"{name[: MAX_LENGTH - 9]}-{_digest(text)}"
    return name


def _digest(text: str) -> str:
    return hashlib.sha256(unicodedata.normalize("NFC", text).encode("utf-8", "surrogatepass")).hexdigest()[:8]
