"""Other spellings of keys: those of the handbook, mapped to the tree's own (DESIGN §10)."""

from typing import Any

ALIASES = {
    "cache.enabled": "Caches.Connectors.Redis.Enabled",
    "cache.config.connection.addrs": "Caches.Connectors.Redis.Addr",
}


def own_spelling(path: str, value: Any) -> tuple[str, Any]:
    """The tree's key for a key in any spelling, and its value; a list of addresses becomes its first."""
    own = ALIASES.get(path.lower())
    if own is None:
        return path, value
    return own, (value[0] if value else "") if isinstance(value, list) else value
