"""asyncio's debug mode without the place where each future and call was made.

Debug mode keeps the way to that place for each of them, and looks at each file on it: a third of all that the tests'
servers do. To be imported before asyncio, whose part in C takes the function once; afterwards, tests are only slower.
"""

import traceback
from types import FrameType

NOWHERE = traceback.StackSummary()


def extract_stack(frame: FrameType | None = None, limit: int | None = None) -> traceback.StackSummary:
    """Instead of asyncio's."""
    return NOWHERE


whole = traceback.extract_stack
traceback.extract_stack = extract_stack
import asyncio.constants  # noqa: E402
import asyncio.format_helpers  # noqa: E402

traceback.extract_stack = whole
asyncio.format_helpers.extract_stack = extract_stack
asyncio.constants.DEBUG_STACK_DEPTH = 1  # of a coroutine that is never awaited: where it was made
