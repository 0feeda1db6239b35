"""Rules of the instance."""
