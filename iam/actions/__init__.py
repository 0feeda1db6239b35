"""Webhooks: targets, the facts of the log that are told to them, and every call on its way."""
