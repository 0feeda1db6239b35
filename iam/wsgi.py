"""Django's own application."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "iam.settings.prod")
application = get_wsgi_application()
