"""`python -m sealing.render_child CPU_SECONDS MEMORY_BYTES`: one signing copy, then the end."""

from __future__ import annotations

from sealing import limits, render


def _prepare() -> None:
    import segno  # noqa: F401 - loaded ahead of the request

    from sealing import fonts

    render.load_weasyprint()
    fonts.font_assets()


if __name__ == "__main__":
    limits.serve(_prepare, render.answer)
