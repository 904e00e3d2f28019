"""Limited Markdown: what comes out, and that nothing else can."""

import html
import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sealing.prose import to_html

REL = 'rel="noopener noreferrer nofollow"'


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (
            "One\ntwo\n\nThree:\n- a\n- b",
            "<p>One<br>two</p><p>Three:</p><ul><li>a</li><li>b</li></ul>",
        ),
        ("1. x\n2. y\n   - z", "<ol><li>x</li><li>y<ul><li>z</li></ul></li></ol>"),
        ("3. third", '<ol start="3"><li>third</li></ol>'),
        ("*so* and **so**", "<p><em>so</em> and <strong>so</strong></p>"),
        ("snake_case, 5 * 3 * 2", "<p>snake_case, 5 * 3 * 2</p>"),
        ("\\*as typed\\*", "<p>*as typed*</p>"),
        ("# Large\n\n##### Small", "<h3>Large</h3><h4>Small</h4>"),
        ("Title\n===", "<p>Title<br>===</p>"),
        ("    indented", "<p>indented</p>"),
        ("> quoted\n\n---\n\n`code`", "<p>&gt; quoted</p><p>---</p><p>`code`</p>"),
        ("a\r\nb  \nc", "<p>a<br>b<br>c</p>"),
        ("", ""),
        (None, ""),
    ],
)  # fmt: skip
def test_what_is_written_is_shown(text, shown):
    assert to_html(text) == shown


def test_headings_begin_below_what_they_stand_under():
    assert to_html("# A\n\n#### B", heading=4) == "<h4>A</h4><h5>B</h5>"


def test_a_link_shows_where_it_leads_and_its_title():
    assert to_html("[the rules](https://example.com/a?b=1&c=2 'as of 2026')") == (
        f'<p>the rules (<a href="https://example.com/a?b=1&amp;c=2" {REL}>'
        "https://example.com/a?b=1&amp;c=2</a>, as of 2026)</p>"
    )


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "[x](javascript:alert(1))",
        "[x](JaVaScRiPt:alert(1))",
        "[x](data:text/html,<script>alert(1)</script>)",
        "[x](http://example.com)",
        "[x](//example.com)",
        "<https://example.com>",
        "[x]: https://example.com\n\n[x]",
        '**"onmouseover="alert(1)**',
        "`<b>`",
        "<!-- hidden -->",
        "&lt;script&gt;",
    ],
)
def test_what_is_no_text_stays_as_it_was_typed(text):
    shown = to_html(text)
    assert not set(re.findall(r"<(\w+)", shown)) - {"p", "strong", "br"}
    # An entity that was typed is shown as it was typed, too.
    assert "".join(html.unescape(re.sub(r"<[^>]+>", "", shown)).split()) == "".join(
        text.replace("**", "").split()
    )


def test_an_image_is_only_where_it_lies():
    shown = to_html("![chart](https://example.com/x.png)")
    assert "<img" not in shown
    assert "https://example.com/x.png" in shown


_TAG = re.compile(
    r"</?(?:p|ul|ol|li|em|strong|h3|h4)>|<br>|<ol start=\"\d+\">"
    rf"|<a href=\"https://[^\"<>]*\" {re.escape(REL)}>|</a>",
    re.IGNORECASE,
)
_written = st.text(
    alphabet=st.sampled_from("ab <>&\"'*_[]()!#-+.1`~:/\\\n\thtpsjvcri=;"), max_size=300
)


@settings(max_examples=300, deadline=None)
@given(_written | st.text(max_size=200))
def test_only_known_tags_come_out_whatever_goes_in(text):
    assert "<" not in _TAG.sub("", to_html(text))


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.sampled_from(["- ", "1. ", "# ", "*", "**", "_", "\n", "\n\n", "  ", "word ", "Term: "])
    )
)
def test_no_word_is_lost(parts):
    text = "".join(parts)
    shown = html.unescape(re.sub(r"<[^>]+>", " ", to_html(text)))
    for word in ("word", "Term:"):
        assert shown.count(word) == text.count(word)


def test_what_is_nested_too_deep_is_shown_as_it_was_typed():
    text = "".join(f"{'  ' * depth}- item {depth}\n" for depth in range(40))
    shown = to_html(text)
    assert all(f"item {depth}" in shown for depth in range(40))
    assert "word" in to_html("- " * 3000 + "word")


@pytest.mark.parametrize("bad", ["[", "*", "*a ", "- ", "[a](", "_a*", "\\", "- a\n"])
def test_the_worst_text_takes_no_time(bad):
    text = (bad * 12_000)[:12_000]
    began = time.process_time()
    to_html(text)
    assert time.process_time() - began < 2
