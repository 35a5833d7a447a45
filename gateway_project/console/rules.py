"""Form fields that keep the management API's rules: one rule, whichever door a change comes by."""

from __future__ import annotations

from typing import Any

from django import forms
from rest_framework import serializers


class RuledField(forms.CharField):
    """A text that the REST field `rule` accepts; cleans to the text."""

    def __init__(self, rule: serializers.Field[Any, Any, Any, Any], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.rule = rule

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        if not text:
            return text
        try:
            return self.rule.run_validation(text)
        except serializers.ValidationError as error:
            raise forms.ValidationError([str(each) for each in _flat(error.detail)]) from error


def _flat(detail: Any) -> list[Any]:
    if isinstance(detail, dict):
        return [text for each in detail.values() for text in _flat(each)]
    return (
        [text for each in detail for text in _flat(each)] if isinstance(detail, list) else [detail]
    )
