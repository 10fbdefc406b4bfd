"""Where a service runs, as far as its address says."""

from ipaddress import ip_address
from urllib.parse import urlsplit


def host(url: str) -> str:
    """Return the host of an HTTP address; empty where it is none."""
    parts = urlsplit(url)
    return parts.hostname or "" if parts.scheme in {"http", "https"} else ""


def is_loopback(url: str) -> bool:
    """Tell whether a service runs on this machine: no proxy must see what stays on it."""
    name = host(url)
    try:
        return name == "localhost" or ip_address(name).is_loopback
    except ValueError:
        return False
