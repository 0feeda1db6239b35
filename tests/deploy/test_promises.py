"""The table of promises in deploy/README.md: every row once, and everything that it names exists."""

import ast
import re

from tests.deploy.support import DEPLOY
from tests.servers import ROOT

ROW = re.compile(r"^\| (\d+) \| (.+?) \| (.+) \|$", re.M)
NAMED = re.compile(r"`((?:tests|deploy)/[^`]+)`")
README = (DEPLOY / "README.md").read_text()
ROWS = {int(number): (promise, shown) for number, promise, shown in ROW.findall(README)}


def functions(file):
    """Names of a test file's functions."""
    return {one.name for one in ast.walk(ast.parse((ROOT / file).read_text())) if isinstance(one, ast.FunctionDef)}


def test_every_row_is_there_once():
    assert [int(number) for number, _, _ in ROW.findall(README)] == list(range(1, 63))


def test_every_row_names_what_shows_it_or_says_that_nothing_does():
    wrong = [number for number, (_, shown) in ROWS.items() if not NAMED.search(shown) and shown != "open"]
    assert wrong == []


def test_everything_named_exists():
    missing = []
    for _, shown in ROWS.values():
        for name in NAMED.findall(shown):
            file, _, function = name.partition("::")
            if not (ROOT / file).exists() or (function and function not in functions(file)):
                missing.append(name)
    assert missing == []


def test_every_test_of_a_row_stands_in_its_row():
    lost = []
    for file in (ROOT / "tests" / "deploy").glob("test_*.py"):
        for name in functions(file.relative_to(ROOT)):
            row = re.match(r"test_row_(\d+)_", name)
            if row and f"tests/deploy/{file.name}::test_row_{row[1]}" not in ROWS[int(row[1])][1]:
                lost.append(name)
    assert lost == []


def test_links_lead_somewhere():
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        assert (DEPLOY / target).exists(), target
