"""The refusals of this room: text and id."""

REFUSALS = {"message.not_found": ("Message not found", "OUTBOX-m5g2n")}
