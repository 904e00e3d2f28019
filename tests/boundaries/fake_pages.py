"""Drawing that draws nothing: for tests of who opened what, not of how a page looks."""

import io

from PIL import Image

from sealing.errors import PagesNotDrawn
from sealing.pages import PageShape

COUNT = 2


class FakePages:
    """Stands in for the child that draws, where the file is no real PDF.

    ``drawn`` lists what was asked for: (numbers, width).
    """

    def __init__(self, pages):
        self.real = pages.shapes, pages.draw
        self.drawn = []

    def shapes(self, pdf, **how):
        if pdf.rstrip().endswith(b"%%EOF"):
            return self.real[0](pdf, **how)
        return [PageShape(595, 842, f"Text of page {n}") for n in range(1, COUNT + 1)]

    def draw(self, pdf, numbers, *, width, **how):
        self.drawn.append((list(numbers), width))
        if pdf.rstrip().endswith(b"%%EOF"):
            return self.real[1](pdf, numbers, width=width, **how)
        if not all(1 <= number <= COUNT for number in numbers):
            raise PagesNotDrawn(f"it has {COUNT} pages")
        return [self._white(number) for number in numbers]

    def _white(self, number):
        out = io.BytesIO()
        Image.new("L", (4, 5), 255 - number).save(out, "PNG")
        return out.getvalue()

    def install(self, monkeypatch):
        monkeypatch.setattr("sealing.pages.shapes", self.shapes)
        monkeypatch.setattr("sealing.pages.draw", self.draw)
        return self
