"""Makes storage/confusables.txt of Unicode's confusables.txt, which is not kept here: most of it is names and comments.

    python deploy/confusables.py confusables.txt > storage/confusables.txt

Unicode has the file at https://www.unicode.org/Public/security/latest/. A release with another table makes all
skeletons again: its migration says UPDATE accounts SET skeleton = NULL.
"""

import pathlib
import re
import sys

HEAD = """\
# What looks like what: after each sequence of code points, those that look like it (https://www.unicode.org/reports/tr39/).
# Made by deploy/confusables.py of confusables.txt, version {}.
# Copyright 1991-2024 Unicode, Inc. Used under the Unicode License v3: LICENSE.unicode beside this file.
"""


def compact(text: str) -> str:
    """Returns a line for each prototype, with all that look like it."""
    alike: dict[str, list[str]] = {}
    for line in text.splitlines():
        fields = [field.strip() for field in line.partition("#")[0].split(";")]
        if len(fields) == 3:
            source, prototype, _ = fields
            alike.setdefault(prototype, []).append(source)
    version = re.search(r"^# Version: (\S+)", text, re.MULTILINE)
    assert version is not None
    return HEAD.format(version[1]) + "".join(f"{one}: {' '.join(those)}\n" for one, those in alike.items())


if __name__ == "__main__":
    sys.stdout.write(compact(pathlib.Path(sys.argv[1]).read_text(encoding="utf-8-sig")))
