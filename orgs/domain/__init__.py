"""Rules of organizations."""
