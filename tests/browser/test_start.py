"""The pages answer in a real browser, without a word of complaint from it."""

import pytest

pytestmark = pytest.mark.browser


def test_sign_in_page_opens_and_unknown_address_is_ours(open_page):
    page = open_page("/")
    assert "/accounts/login/" in page.url
    assert page.get_by_label("Work e-mail").is_visible()
    answer = page.goto("/no/such/page")
    assert answer.status == 404
    assert page.get_by_role("heading", level=1).is_visible()


def test_api_docs_draw_without_breaking_the_policy(open_page):
    page = open_page("/api/docs/")
    page.get_by_text("/api/v1/functions/", exact=True).first.wait_for()
