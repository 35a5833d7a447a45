"""Fields of forms that others have written, in the console's look."""

from __future__ import annotations

from django import template
from django.forms import BoundField
from django.utils.safestring import SafeString

from ..console.forms import look_of

register = template.Library()


@register.filter
def looking_like_ours(field: BoundField) -> SafeString:
    """The widget with our class, and without the placeholder that would repeat its label."""
    field.field.widget.attrs.pop("placeholder", None)
    return field.as_widget(attrs={"class": look_of(field.field.widget)})
