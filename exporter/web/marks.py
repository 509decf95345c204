"""Where a page of a list that is sorted by name ended: opaque to clients, refused where it is not ours. Pure."""

import base64
import binascii


def mark_after(name: str) -> str:
    return base64.urlsafe_b64encode(name.encode()).decode().rstrip("=")


def name_before(mark: str) -> str:
    """Raises ValueError."""
    try:
        name = base64.urlsafe_b64decode(mark + "=" * (-len(mark) % 4)).decode()
    except (binascii.Error, UnicodeError, ValueError):
        name = ""
    if not name or mark_after(name) != mark:
        raise ValueError("is no cursor of ours")
    return name
