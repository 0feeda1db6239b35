"""The state folder is its owner's alone, and so is every file that the product writes (checklist E07)."""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

FOLDER, FILE, OTHERS = 0o700, 0o600, 0o077
BESIDE = ("", "-wal", "-shm", "-journal")


def restrict_access(var: Path, database: str = "") -> None:
    """Make the folder, and SQLite's file where one is used, for the owner only; take from others what they had before.

    SQLite gives its other files the mode of the first. What belongs to another user stays as it is.
    """
    with suppress(PermissionError):
        var.mkdir(parents=True, exist_ok=True, mode=FOLDER)
    if database:
        with suppress(OSError):  # the database says what is wrong with the place
            Path(database).touch(mode=FILE)
    for place in (var, *_files(var), *(Path(database + end) for end in BESIDE if database)):
        with suppress(FileNotFoundError, PermissionError):
            _tighten(place)


def write_privately() -> None:
    """From now on what this process and its children write is for the owner only, unless they say otherwise."""
    os.umask(OTHERS)


def _files(var: Path) -> Iterator[Path]:
    for folder in (var, var / "mail"):
        if folder.is_dir():
            yield folder
            yield from folder.iterdir()


def _tighten(place: Path) -> None:
    mode = place.stat().st_mode
    if (
        not place.is_symlink() and mode & OTHERS and not mode & 0o1000
    ):  # a folder that everybody may write to is no folder of ours
        place.chmod(mode & ~OTHERS & 0o7777)
