"""`python -m sealing.pages_child CPU_SECONDS MEMORY_BYTES`: pages of one PDF, then the end."""

from __future__ import annotations

from sealing import limits, pages


def _prepare() -> None:
    import PIL.PngImagePlugin  # noqa: F401 - loaded ahead of the request
    import pypdfium2  # noqa: F401 - the same


if __name__ == "__main__":
    limits.serve(_prepare, pages.answer)
