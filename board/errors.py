"""What the board's rules refuse."""


class DeniedError(Exception):
    """Something that a rule forbids. `code` is stable, the error's text is for people.

    `retry_after` is in how many seconds it is allowed again, if it was only too early.
    """

    def __init__(self, code: str, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.retry_after = retry_after
