"""`manage.py doctor`: looks at everything that a deployment can have wrong, and says cause and remedy of each."""
