"""Watching the server: what is counted, timed, traced and logged. Nothing of it decides anything, and nothing of it is personal."""
