"""The stylesheet's colours keep their contrast, in light and in dark (WCAG 2.2 AA)."""

import re
from pathlib import Path

import pytest

STYLESHEET = Path(__file__).resolve().parents[2] / "static/css/registry.css"
TOKENS = {
    name: {"light": light, "dark": dark}
    for name, light, dark in re.findall(
        r"--([a-z-]+):\s*light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\)",
        STYLESHEET.read_text(encoding="utf-8"),
    )
}
OWNERS = ("cro", "coo", "cfo", "ceo", "hybrid", "none")
TEXT = [
    *[(text, ground) for text in ("ink", "muted") for ground in ("page", "surface", "sunken")],
    *[("signal", ground) for ground in ("page", "surface", "signal-tint")],
    ("surface", "ink"),  # the filled button
    *[(owner, f"{owner}-tint") for owner in OWNERS],
    *[(owner, ground) for owner in OWNERS for ground in ("page", "surface")],
    *[(text, f"{owner}-tint") for text in ("ink", "muted") for owner in OWNERS],
]
CONTROLS = [("edge", ground) for ground in ("page", "surface", "sunken")]


def luminance(colour):
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one, other):
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def test_contrast_of_black_on_white_is_21():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(("text", "ground"), TEXT)
def test_text_can_be_read(theme, text, ground):
    assert contrast(TOKENS[text][theme], TOKENS[ground][theme]) >= 4.5


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(("edge", "ground"), CONTROLS)
def test_border_of_a_control_can_be_seen(theme, edge, ground):
    assert contrast(TOKENS[edge][theme], TOKENS[ground][theme]) >= 3


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_white_on_the_signal_can_be_read(theme):
    assert contrast("#ffffff", TOKENS["signal-fill"][theme]) >= 4.5
