#!/usr/bin/env python
"""The command line: init, setup, start and everything of Django."""

import os
import sys

from django.core.management import execute_from_command_line

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "iam.settings.prod")
    execute_from_command_line(sys.argv)
