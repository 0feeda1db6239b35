"""What a check says."""

from dataclasses import dataclass

OK, WARNING, PROBLEM = "ok", "warning", "problem"


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at. A problem ends the doctor with code 1; a warning does not."""

    check: str
    level: str
    told: str
    cause: str = ""
    remedy: str = ""


def ok(check: str, told: str) -> Finding:
    """As it should be."""
    return Finding(check, OK, told)


def warning(check: str, told: str, *, cause: str, remedy: str) -> Finding:
    """Works, but will hurt."""
    return Finding(check, WARNING, told, cause, remedy)


def problem(check: str, told: str, *, cause: str, remedy: str) -> Finding:
    """Does not work."""
    return Finding(check, PROBLEM, told, cause, remedy)
