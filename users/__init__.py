"""Users, human and machine, and their sessions."""
