"""Exit statuses of all commands."""

EXIT_OK, EXIT_BROKEN, EXIT_FOUND, EXIT_USAGE = 0, 1, 1, 2
EXIT_INTERRUPTED = 130
