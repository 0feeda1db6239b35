"""The refusals of this room: text and id."""

REFUSALS = {
    "vault.key_missing": ("A stored secret cannot be opened", "VAULT-k3ymg"),
}
