"""The refusals of this room: text and id."""

REFUSALS = {
    "console.state_mismatch": ("This answer does not belong to a sign-in started in this browser. Start again", ""),
    "console.issuer_mismatch": ("The answer came from another server than the one that was asked", ""),
    "console.sign_in_refused": ("The login refused the sign-in", ""),
}
