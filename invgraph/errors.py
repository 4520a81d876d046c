"""The error that means: the user's data, files or folders are at fault, not the program."""


class InputError(ValueError):
    """Bad user input: its message is one sentence with the path and field, what was found and what was expected.

    The command line prints the message alone and exits with status 2; library callers catch it as a ``ValueError``.
    """
