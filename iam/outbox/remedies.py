"""The refusals of this room for who meets them: cause and remedy (deploy/docs/errors.md)."""

REMEDIES = {
    "message.not_found": (
        "The message does not exist, or was sent long ago and removed.",
        "Open Instance → Messages again; sent messages are kept for a limited time.",
    ),
}
