"""Forms in Tabler's look, and the fields that several pages share."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from budgets import money, periods
from budgets.models import Tenant

from .. import access
from ..roles import Actor

CLASSES: tuple[tuple[type[forms.Widget], str], ...] = (
    (forms.CheckboxInput, "form-check-input"),
    (forms.CheckboxSelectMultiple, ""),
    (forms.Select, "form-select"),
    (forms.SelectMultiple, "form-select"),
    (forms.Widget, "form-control"),
)


class Form(forms.Form):
    """A form whose fields look like the console's, without a widget named in every field."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.widget.attrs.setdefault("class", look_of(field.widget))


def look_of(widget: forms.Widget) -> str:
    return next(look for kind, look in CLASSES if isinstance(widget, kind))


class TenantField(forms.ModelChoiceField):  # type: ignore[type-arg]  # of Tenant
    """One of the tenants in which the actor has the permission; `all` where that is a choice.

    A foreign tenant is as unknown here as one that never was.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(Tenant.objects.none(), to_field_name="external_id", **kwargs)

    def label_from_instance(self, obj: Any) -> str:
        return f"{obj.name} ({obj.external_id})"


class TenantForm(Form):
    """A form about one tenant; `offer` says which there are to choose from."""

    tenant = TenantField()

    def offer(self, actor: Actor, permission: str, *, all_too: bool = False) -> None:
        field = self.fields["tenant"]
        assert isinstance(field, TenantField)
        rows = Tenant.objects.order_by("name")
        field.queryset = access.visible(rows, actor, permission, "id")
        field.required = not (all_too and actor.may(permission))
        field.empty_label = "Choose a tenant" if field.required else "All tenants"


class DollarsField(forms.CharField):
    """An amount of dollars as people write it; cleans to nano-dollars."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.widget.attrs.update({"inputmode": "decimal", "autocomplete": "off", "maxlength": 24})

    def to_python(self, value: Any) -> Any:
        text = super().to_python(value)
        if not text:
            return None
        try:
            return money.parse_dollars(text.removeprefix("$").strip())
        except money.BadAmount as error:
            raise ValidationError(str(error)) from error

    def prepare_value(self, value: Any) -> Any:
        return money.decimal_text(value) if isinstance(value, int) else value


class ZoneField(forms.CharField):
    """The name of a time zone, spelled as the tz database spells it."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=64, **kwargs)
        self.widget.attrs.update({"list": "zones", "autocomplete": "off"})

    def clean(self, value: Any) -> Any:
        zone = super().clean(value)
        try:
            periods.check_zone(zone)
        except periods.UnknownZone as error:
            raise ValidationError(str(error)) from error
        return zone


class PatternsField(forms.CharField):
    """Names or patterns of models, one a line or with commas; cleans to a list."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(widget=forms.Textarea(attrs={"rows": 3}), required=False, **kwargs)

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        parts = [part.strip() for line in text.splitlines() for part in line.split(",")]
        patterns = [part for part in parts if part]
        if len(patterns) > 100 or any(len(part) > 256 for part in patterns):
            raise ValidationError("At most 100 patterns of at most 256 characters.")
        return patterns

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list) else value
