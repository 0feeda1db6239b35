"""Configuration: a typed tree (`tree`), read from files, environment and flags (`sources`), and Django's settings."""
