"""The verifier as one file, `verifier.pyz`, for somebody who has no registry.

It is this package as a zipped application (PEP 441). `python verifier.pyz FILE --root FINGERPRINT`
is `python -m sealing.verify`; what it needs beside Python is `NEEDS`, from PyPI.
"""

from __future__ import annotations

import functools
import io
import zipfile
from pathlib import Path

NEEDS = ("pyhanko", "cryptography", "fido2", "rfc8785")

_MAIN = b"import sys\n\nfrom sealing.verify import main\n\nsys.exit(main())\n"
_DATE = (1980, 1, 1, 0, 0, 0)


@functools.cache
def verifier_archive() -> bytes:
    """Give the bytes of `verifier.pyz`; the same source gives the same bytes."""
    out = io.BytesIO(b"#!/usr/bin/env python3\n")
    out.seek(0, io.SEEK_END)
    with zipfile.ZipFile(out, "a", zipfile.ZIP_DEFLATED) as archive:
        members = {"__main__.py": _MAIN}
        for path in sorted(Path(__file__).parent.glob("*.py")):
            members[f"sealing/{path.name}"] = path.read_bytes()
        for name, data in members.items():
            entry = zipfile.ZipInfo(name, _DATE)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3  # whichever machine makes it
            entry.external_attr = 0o100644 << 16
            archive.writestr(entry, data)
    return out.getvalue()
