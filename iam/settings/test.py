"""Tests: a state folder of their own, cheap password hashing, the engine named by GATEHOUSE_TEST_DB."""

import atexit
import os
import shutil
import tempfile


def _remove(folder: str, maker: int) -> None:
    """The folder goes with the process that made it, not with those forked from it."""
    if os.getpid() == maker:
        shutil.rmtree(folder, ignore_errors=True)


if "GATEHOUSE_VAR" not in os.environ:
    os.environ["GATEHOUSE_VAR"] = tempfile.mkdtemp(prefix="gatehouse-test-")
    atexit.register(_remove, os.environ["GATEHOUSE_VAR"], os.getpid())
KEPT = ("ZITADEL_DATABASE_POSTGRES_DSN", "ZITADEL_MASTERKEY")
for name in [name for name in os.environ if name.startswith("ZITADEL_") and name not in KEPT]:
    del os.environ[name]

from iam.settings.base import *  # noqa: E402, F403
from iam.settings.base import CONFIG, DATABASES  # noqa: E402

CONFIG.ExternalPort = 80
CONFIG.SystemDefaults.PasswordHasher.Hasher.Time = 1
CONFIG.SystemDefaults.PasswordHasher.Hasher.Memory = 8192
if CONFIG.embedded:
    DATABASES["default"]["TEST"] = {"NAME": os.path.join(os.environ["GATEHOUSE_VAR"], "test.sqlite3")}
