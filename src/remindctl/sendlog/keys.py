"""Keyed hashes: how the log recognises a person again without knowing any address."""

from __future__ import annotations

import hmac
import os
import secrets
from typing import TYPE_CHECKING

import polars as pl

from remindctl.errors import refuse
from remindctl.frames import IDENTIFIERS, Identifiers, conform

if TYPE_CHECKING:
    from pathlib import Path

    from remindctl.frames import Addresses
    from remindctl.profiles import Profiles

_KEY_BYTES = 32
# 128 bits: no two identifiers of any shop share one by accident.
_HASH_BYTES = 16

# Two shops may give the same id to different people, or a pool and its codes the same name; a phone
# number is one everywhere.
_KINDS_OF_ONE_STORE = ("shop_id", "person", "coupon")


class Hasher:
    """HMAC-SHA256 of identifiers, with the key that only this installation has."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    @property
    def fingerprint(self) -> str:
        """What tells one key from another without giving it away."""
        return hmac.digest(self._key, b"fingerprint", "sha256")[:8].hex()

    def hash(self, kind: str, value: str, store: str) -> bytes:
        """Return the hash of one identifier, normalised as in ``frames.ADDRESSES``."""
        scope = f"{kind}\x1f{store}" if kind in _KINDS_OF_ONE_STORE else kind
        return hmac.digest(self._key, f"{scope}\x1f{value}".encode(), "sha256")[:_HASH_BYTES]

    def identifiers(self, people: Profiles, addresses: Addresses, store: str) -> Identifiers:
        """Hash everything these people are known by, their customer key included (kind is null)."""
        known = addresses.filter(pl.col("person").is_in(people["person"].implode()))
        named = people.select("person", pl.col("customer_key").alias("value"))
        both = pl.concat([known, named], how="diagonal")
        kinds = both["kind"].cast(pl.String).fill_null("person")
        hashes = [
            self.hash(kind, value, store) for kind, value in zip(kinds, both["value"], strict=True)
        ]
        frame = both.with_columns(pl.Series("hmac", hashes, dtype=pl.Binary))
        return Identifiers(conform(frame, IDENTIFIERS))


def ending(address: str) -> str:
    """Return what may be kept of an address to recognise it by: last digits, first letters."""
    user, at, host = address.partition("@")
    return f"{user[:1]}***@{host[:1]}…" if at else address[-4:]


def read_key(path: Path) -> Hasher:
    """Read the key file.

    Raises:
        Refused: it cannot be read or is no key.
    """
    try:
        key = bytes.fromhex(path.read_text("ascii").strip())
    except OSError as error:
        raise refuse(f"cannot be read: {error.strerror}", path=str(path)) from None
    except ValueError:
        key = b""
    if len(key) != _KEY_BYTES:
        hint = "put back the key file that belongs to the log; without it nobody is recognised"
        raise refuse("is not a key of this program", hint, path=str(path))
    return Hasher(key)


def create_key(path: Path) -> Hasher:
    """Make a key file that only its owner can read; one that is there already is read instead."""
    key = secrets.token_bytes(_KEY_BYTES)
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(key.hex().encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
    except FileExistsError:
        return read_key(path)
    except OSError as error:
        raise refuse(f"cannot be written: {error.strerror}", path=str(path)) from None
    return Hasher(key)
