"""The levels at which rights are held, and one thing of a level."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Self


class Level(StrEnum):
    """Where a membership is held. A level reaches itself and everything below it."""

    SYSTEM = "system"
    INSTANCE = "instance"
    ORG = "org"
    PROJECT = "project"
    GRANT = "grant"


@dataclass(frozen=True)
class Resource:
    """One thing at which a permission may be held. An id alone says nothing: things of two levels may have the same one."""

    level: Level
    id: str

    @classmethod
    def of_project(cls, id: str) -> Self:
        """A project."""
        return cls(Level.PROJECT, id)

    @classmethod
    def of_grant(cls, id: str) -> Self:
        """A project grant."""
        return cls(Level.GRANT, id)
