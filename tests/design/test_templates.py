"""What every template has to keep to: the Content-Security-Policy, the icons, the words."""

import re
import zipfile
from importlib import resources
from pathlib import Path

import pytest
from django.template.loader import get_template

ROOT = Path(__file__).resolve().parents[2]
TEMPLATES = ROOT / "templates"
# Mails are read in mail programs, which know nothing but style attributes.
PAGES = sorted(
    path.relative_to(TEMPLATES).as_posix()
    for path in TEMPLATES.rglob("*.html")
    if "mail" not in path.relative_to(TEMPLATES).parts
)
STYLESHEETS = "".join(
    path.read_text(encoding="utf-8") for path in sorted((ROOT / "static/css").glob("*.css"))
)


def source(name):
    text = (TEMPLATES / name).read_text(encoding="utf-8")
    return re.sub(r"{% comment %}.*?{% endcomment %}|{#.*?#}", "", text, flags=re.DOTALL)


@pytest.mark.parametrize("name", PAGES)
def test_template_has_nothing_that_the_content_security_policy_refuses(name):
    text = source(name)
    assert not re.search(r"""\sstyle\s*=\s*["'{]""", text), "a style attribute"
    assert not re.search(r"<style\b", text), "an inline stylesheet"
    assert not re.search(r"""\son[a-z]+\s*=\s*["'{]""", text), "an event handler attribute"
    assert not re.search(r"\shx-on[:=-]", text), "an event handler attribute of htmx"
    assert "javascript:" not in text
    for script in re.finditer(r"<script\b([^>]*)>(.*?)</script>", text, flags=re.DOTALL):
        assert "src=" in script[1] and not script[2].strip(), "an inline script"


@pytest.mark.parametrize("name", PAGES)
def test_template_compiles(name):
    assert get_template(name)


def test_every_icon_exists():
    with resources.files("lucide").joinpath("lucide.zip").open("rb") as raw:
        known = {name.removesuffix(".svg") for name in zipfile.ZipFile(raw).namelist()}
    asked = {}
    for name in PAGES:
        for match in re.finditer(r"""{% lucide "([^"]+)"|\bicon="([a-z0-9-]+)\"""", source(name)):
            asked.setdefault(match[1] or match[2], name)
    assert "search" in asked
    assert {icon: name for icon, name in asked.items() if icon not in known} == {}


def test_every_class_is_in_a_stylesheet():
    known = set(re.findall(r"\.([a-z][a-z0-9-]*)", STYLESHEETS))
    unknown = {
        (word, name)
        for name in PAGES
        for value in re.findall(r'\bclass="([^"{]*)"', source(name))
        for word in value.split()
        if word not in known
    }
    assert unknown == set()


@pytest.mark.parametrize("name", PAGES)
def test_template_speaks_as_the_design_language_says(name):
    words = re.sub(r"{[{%].*?[}%]}|<!doctype html>|<[^>]*>", " ", source(name), flags=re.DOTALL)
    assert not re.search(r"\b(please|sorry|oops|submit)\b", words, flags=re.IGNORECASE)
    assert not re.search(r"\w!(\s|$)", words), "an exclamation mark"
