"""One organization or instance as a file."""
