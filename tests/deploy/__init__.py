"""What an operator is promised: files of `deploy/`, and the program as it is run in production. Tests are named by row."""
