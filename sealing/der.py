"""A remedy for asn1crypto 1.5.1, which takes some definite lengths for indefinite ones.

It looks at the last byte of a header alone (its issue 249): a structure whose length ends in the
byte 0x80, such as 0x0280, is encoded anew each time it is asked for its bytes, and so is all that
it contains, again at each level. For nested containers such as ours that is seconds of work, hit
by one signature in a hundred or so. Importing this module puts the right question in place.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from asn1crypto import core


def has_indefinite_length(header: bytes) -> bool:
    """Tell whether a header (tags and lengths, explicit tags first) has an indefinite length."""
    position = 0
    while position < len(header):
        many = header[position] & 0x1F == 0x1F
        position += 1
        while many and position < len(header):
            many = header[position] & 0x80 != 0
            position += 1
        if position >= len(header) or header[position] == 0x80:
            return True
        position += 1 + (header[position] & 0x7F if header[position] > 0x80 else 0)
    return False


def _asking_rightly(original: Callable[..., bytes]) -> Callable[..., bytes]:
    def dump(self: Any, force: bool = False) -> bytes:
        header = self._header
        if not force and header and header[-1] == 0x80 and not has_indefinite_length(header):
            contents = self.contents  # encodes anew, and drops the header, if something changed
            if self._header is header and contents is not None:
                return bytes(header + contents + self._trailer)
        return original(self, force=force)

    return dump


for _kind in (core.Asn1Value, core.Sequence, core.SequenceOf):
    _kind.dump = _asking_rightly(_kind.dump)
