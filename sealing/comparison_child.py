"""`python -m sealing.comparison_child CPU_SECONDS MEMORY_BYTES`: one redline, then the end."""

from __future__ import annotations

from sealing import comparison, limits, render

if __name__ == "__main__":
    limits.serve(render.load_weasyprint, comparison.answer)
