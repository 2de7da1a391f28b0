"""Characters that nobody sees."""

import re

# Besides white space, controls and marks: Default_Ignorable_Code_Point of Unicode's DerivedCoreProperties.txt, the empty
# braille pattern, the note without a head, the controls that arrange hieroglyphs, and noncharacters. All others may be
# visible: phones know letters and emoji that are newer than this Python's tables.
INVISIBLE = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u2800\u3164"
    "\ufdd0-\ufdef\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U00013430-\U00013440\U0001bca0-\U0001bca3\U0001d159\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
    + "".join(map(chr, (plane + end for plane in range(0, 0x110000, 0x10000) for end in (0xFFFE, 0xFFFF))))
)
IS_INVISIBLE = re.compile(f"[{INVISIBLE}]")
