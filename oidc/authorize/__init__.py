"""The authorization endpoint: a table of checks, then the login, then one answer."""
