"""`python -m sealing.verify_child CPU_SECONDS MEMORY_BYTES`: one verdict, then the end."""

from __future__ import annotations

from sealing import limits, verify


def _prepare() -> None:
    from sealing import judge  # noqa: F401 - loaded ahead of the request


if __name__ == "__main__":
    limits.serve(_prepare, verify.answer)
