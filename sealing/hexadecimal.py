"""Reading the hexadecimal strings of a PDF in one go.

pyHanko reads them digit by digit. The containers of our signatures are strings of 16,000 digits,
each of which is read several times: half of the time that judging an altered file takes. What is
anything but digits up to the closing bracket is left to pyHanko's own way, so that the answer,
refusals included, is the same. Importing this module puts the quicker way in place.
"""

from __future__ import annotations

import binascii
import re
from typing import Any

from pyhanko.pdf_utils import generic

_PIECE = 32_768
_DIGITS = re.compile(rb"<([0-9A-Fa-f]*)>")
_original = generic.read_hex_string_from_stream


def read_hex_string(stream: Any) -> Any:
    """Read a string from `stream`, which stands at its opening bracket; leave it behind it."""
    start = stream.tell()
    found = _DIGITS.match(stream.read(_PIECE))
    if found is None or len(found[1]) % 2:
        stream.seek(start)
        return _original(stream)
    stream.seek(start + found.end())
    return generic.pdf_string(binascii.unhexlify(found[1]))


generic.read_hex_string_from_stream = read_hex_string
