"""The v2beta services: every method is its sister of v2 in an older spelling."""
