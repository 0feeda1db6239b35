"""Names of hosts in the one form in which they are compared (RFC 3986 §3.2.2, §6.2.2.1, §6.2.3)."""

import ipaddress
import re

LABEL = r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
NAMED = re.compile(rf"(?P<name>{LABEL}(?:\.{LABEL})*)\.?(?::(?P<port>[0-9]{{0,5}}))?", re.ASCII)
LITERAL = re.compile(r"\[(?P<name>[0-9A-Fa-f:.]+)\](?::(?P<port>[0-9]{0,5}))?", re.ASCII)
LONGEST = 253
HIGHEST_PORT = 65535


def host_name(authority: str) -> str:
    """The name in `host[:port]`: in lower case, without the port and without the dot of the root; raises ValueError.

    An IPv6 address keeps its brackets, in its shortest spelling. Nobody's port is believed, so nobody sees it.
    """
    found = NAMED.fullmatch(authority) or LITERAL.fullmatch(authority)
    if found is None or int(found["port"] or 0) > HIGHEST_PORT or len(found["name"]) > LONGEST:
        raise ValueError("not a host name, with a port or without")
    if authority.startswith("["):
        return f"[{ipaddress.IPv6Address(found['name']).compressed}]"
    return found["name"].lower()
