"""How long a session lasts, in words."""

from django import template

from people.sessions import idle_words, longest_words

register = template.Library()
register.simple_tag(idle_words)
register.simple_tag(longest_words)
