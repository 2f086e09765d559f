"""QR codes as pictures inside of HTML."""

from __future__ import annotations

from remindctl.render.sandbox import Unwritable

# The most that fits with the error correction that a photographed screen needs is 2,331 bytes.
MOST_BYTES = 1_000
_DOTS = 4


def qr(value: object) -> str:
    """Return the QR code of a text as a ``data:`` address of a PNG, for ``<img src>``.

    Raises:
        Unwritable: the text is too long to be scanned from a screen.
    """
    text = str(value)
    if len(text.encode()) > MOST_BYTES:
        raise Unwritable(f"qr: {len(text):,} characters are too many for a QR code")
    import segno  # noqa: PLC0415 (few messages show one)

    return segno.make_qr(text, error="m").png_data_uri(scale=_DOTS)
