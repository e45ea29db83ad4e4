"""Frames of Skynet's telescopes, fetched into raw/, so that their users start here too."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from accretor.core.errors import Unusable
from accretor.stages.archive import Fetched

if TYPE_CHECKING:
    from accretor.io.layout import Layout


def fetch(
    observation: str,
    layout: Layout,
    *,
    after: str = "",
    before: str = "",
    address: str = "",
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Fetched:
    """Fetch the frames of a Skynet observation into raw/skynet/, where the stages find them.

    The token is that of the environment's SKYNET_API_TOKEN, else the password that
    `accretor.sending.credentials` finds for Skynet.

    Raises
    ------
    Unusable
        If *observation* is no number, or *after* or *before* no time (UTC).
    ServiceError, NoCredentials
    """
    from accretor.io import skynet
    from accretor.io.http import Client, Secret
    from accretor.sending import credentials
    from accretor.sending.credentials import Account, NoCredentials

    if not observation.isascii() or not observation.isdigit():
        raise Unusable(
            f"observation={observation}: a Skynet observation is a number: doit skynet observation=123"
        )
    number = int(observation)
    token = Secret(os.environ.get("SKYNET_API_TOKEN", ""))
    if not token:
        account = Account(skynet.SERVICE, skynet.HOST, "ACCRETOR_SKYNET")
        try:
            token = credentials.find(account).password
        except NoCredentials as error:
            raise NoCredentials(f"{error}; or put your token in SKYNET_API_TOKEN") from None
    place = urlsplit(address or skynet.ADDRESS).netloc
    with Client(skynet.SERVICE, {place}) as client:
        found = skynet.fetch(
            client,
            number,
            layout.skynet(number),
            layout.skynet_record(number),
            token,
            after=after,
            before=before,
            address=address or skynet.ADDRESS,
            progress=progress,
        )
    return Fetched(f"{len(found.new)} frames fetched, {len(found.kept)} here before", found.failures)
