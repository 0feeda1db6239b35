"""States of a user with their numbers in the API (reference/login-flows.md §2)."""

from enum import IntEnum


class UserState(IntEnum):
    """Only active users sign in."""

    ABSENT = 0
    ACTIVE = 1
    INACTIVE = 2
    DELETED = 3
    LOCKED = 4
    INITIAL = 5
