"""asyncio's debug mode, with the place where each future and call was made, but not the whole way there.

Debug mode keeps that way for each of them, and looks at each file on it: a third of all that the tests' servers do. To be
imported before asyncio, whose part in C takes the function once; afterwards, tests are only slower.
"""

import sys
import traceback
from types import FrameType


def extract_stack(frame: FrameType | None = None, limit: int | None = None) -> traceback.StackSummary:
    """As asyncio's own, but for two frames: it drops the last one, if that is in asyncio itself."""
    stack, at = traceback.StackSummary(), frame or sys._getframe(1)
    for one in (at.f_back, at):
        if one is not None:
            place = one.f_code.co_filename, one.f_lineno, one.f_code.co_name
            stack.append(traceback.FrameSummary(*place, lookup_line=False))
    return stack


whole = traceback.extract_stack
traceback.extract_stack = extract_stack
import asyncio.format_helpers  # noqa: E402

traceback.extract_stack = whole
asyncio.format_helpers.extract_stack = extract_stack
