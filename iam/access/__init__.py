"""Who is calling and what they may do: roles, memberships, tokens, the Context of a request."""
