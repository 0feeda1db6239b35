"""Single knobs of the handbook's tables, by row."""

import logging

import pytest

from iam.settings.sources import BadValue, read


@pytest.mark.parametrize(
    ("secure", "port", "origin"),
    [
        ("true", "443", "https://auth.example.com"),
        ("false", "80", "http://auth.example.com"),
        ("true", "80", "https://auth.example.com:80"),
        ("false", "8080", "http://auth.example.com:8080"),
    ],
)
def test_row_12_the_schemes_own_port_is_left_out(secure, port, origin):
    config, _ = read([], {"ZITADEL_EXTERNALSECURE": secure, "ZITADEL_EXTERNALPORT": port})
    assert config.origin("auth.example.com") == origin


@pytest.mark.parametrize("level", ["debug", "info", "warning", "error"])
def test_row_16_levels_of_the_handbook_are_taken(level):
    config, _ = read([], {"ZITADEL_LOG_LEVEL": level})
    assert logging.getLevelName(config.Log.Level.upper()) == getattr(logging, level.upper())


def test_row_16_another_level_is_refused():
    with pytest.raises(BadValue, match=r"Log\.Level"):
        read([], {"ZITADEL_LOG_LEVEL": "loud"})


def test_row_19_the_variable_overrides_the_file(tmp_path):
    file = tmp_path / "values.yaml"
    file.write_text('Database:\n  Postgres:\n    User:\n      Password: "from the file"\n')
    variables = {"ZITADEL_DATABASE_POSTGRES_USER_PASSWORD": "from the variable"}
    config, _ = read(["--config", str(file)], variables)
    assert config.Database.Postgres.User.Password == "from the variable"
