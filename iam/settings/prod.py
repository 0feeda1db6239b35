"""How `manage.py` runs: the tree as it is given."""

from iam.settings.base import *  # noqa: F403
