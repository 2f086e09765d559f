"""What the senders of push messages share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from remindctl.errors import Refused, refuse
from remindctl.model import key_of

if TYPE_CHECKING:
    from remindctl.channels.provider import Account, Outgoing

# A reminder that a device could not be shown within a day is no reminder any more.
TTL_SECONDS = 86_400


def missing_extra(account: Account) -> Refused:
    """Say that the packages for push are not installed; to be raised by the caller."""
    what = "needs packages that are not installed"
    return refuse(what, "pip install 'remindctl[push]'", path=f"providers.{account.name}.type")


def replaces(message: Outgoing) -> str:
    """Name what a message takes the place of while it waits: an older one of the same step.

    A message that is repeated is thus mostly shown once. The name is of 32 hexadecimal digits,
    which RFC 8030, Apple and Google all take.
    """
    return key_of(message.store, message.campaign, message.step)


def image_url(message: Outgoing) -> str | None:
    """Return the image's address on the web; a file of this machine has none."""
    image = message.extras.get("image")
    return image if image and image.startswith("https://") else None
