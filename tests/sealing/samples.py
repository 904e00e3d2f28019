"""Canonical content to seal in tests: `boundary.json`, whole or with fewer rows."""

import json
from pathlib import Path

WHOLE = json.loads(Path(__file__).with_name("boundary.json").read_text(encoding="utf-8"))


def boundary(*, functions=None, number=4):
    """Give the frozen content of a Revision with its first `functions` rows (default all)."""
    content = json.loads(json.dumps(WHOLE))
    content["revision"] |= {
        "number": number,
        "reference": f"NC-RB-{number}",
        "supersedes": number - 1 or None,
    }
    allocations = content["articles"][3]
    allocations["rows"] = allocations["rows"][:functions]
    return content
