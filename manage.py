#!/usr/bin/env python
"""The command line: init, setup, start and everything of Django."""

import os
import sys

from django.core.management import execute_from_command_line

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "iam.settings.prod")
    try:
        execute_from_command_line(sys.argv)
    except BrokenPipeError:  # whoever read has seen enough: `manage.py routes | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
