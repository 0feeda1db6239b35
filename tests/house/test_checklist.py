"""Every row of the security checklist is tried by a test or says which part has to come first."""

import pytest

from tests.house.checklist import MISSING, PARTLY, ROWS, tried


@pytest.mark.parametrize("row", ROWS)
def test_a_row_is_tested_or_explained(row):
    assert row in tried() or len(MISSING.get(row, "")) > 10


def test_no_table_names_a_row_that_does_not_exist():
    assert {*tried(), *MISSING, *PARTLY} <= {*ROWS}


def test_what_is_partly_tested_is_tested():
    assert {*PARTLY} <= {*tried()}
