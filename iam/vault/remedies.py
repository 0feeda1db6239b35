"""The refusals of this room for who meets them: cause and remedy (deploy/docs/errors.md)."""

REMEDIES = {
    "vault.key_missing": (
        "The data key that a secret was sealed with is gone, or the value was sealed for another purpose.",
        "Operators restore the table of data keys that belongs to this database, or set the secret anew.",
    ),
}
