"""Projects: roles, applications, grants to organizations, authorizations of users."""
