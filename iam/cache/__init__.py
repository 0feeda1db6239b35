"""Answers kept beside the database: read under an epoch that every change renews in its own transaction (iam/decisions/0003)."""
