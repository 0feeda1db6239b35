"""Rules of users and sessions."""
