"""Organizations: owners of users and projects."""
