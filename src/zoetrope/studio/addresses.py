"""`{% url %}` for templates: as Django's own, which works each address out anew, though it never changes."""

from functools import lru_cache
from typing import Any

from django import template
from django.template.base import Parser, Token
from django.template.context import Context
from django.template.defaulttags import URLNode
from django.template.defaulttags import url as parsed
from django.urls import reverse
from django.utils.html import conditional_escape

register = template.Library()
# Of a page with hundreds of links, most were on the page before.
_KEPT = 20_000


class _Address(URLNode):
    def render(self, context: Context) -> str:
        if self.kwargs or self.asvar:
            return str(super().render(context))
        found = _address(self.view_name.resolve(context), *(each.resolve(context) for each in self.args))
        return conditional_escape(found) if context.autoescape else found


@lru_cache(_KEPT)
def _address(name: str, *args: Any) -> str:
    return reverse(name, args=args)


@register.tag
def url(parser: Parser, token: Token) -> URLNode:
    """Django's, remembered."""
    node = parsed(parser, token)
    return _Address(node.view_name, node.args, node.kwargs, node.asvar)
