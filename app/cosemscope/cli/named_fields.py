"""Fields by the names that an option lists, and what is said of a name that no field has."""

from cosemscope.analysis.fields.registry import FIELDS
from cosemscope.analysis.fields.row_field import RowField, UnknownFieldError
from cosemscope.cli.capture_arguments import CommandError


def named_fields(names: str, option: str) -> dict[str, RowField]:
    """The fields of these names, commas between them, by their names. Raises CommandError."""
    try:
        fields = [FIELDS.named(name) for name in names.split(",") if name.strip()]
    except UnknownFieldError as error:
        raise CommandError(f"{option}: {error}.") from None
    if not fields:
        raise CommandError(f"{option} names no field; `cosemscope fields` lists them.")
    return {field.name: field for field in fields}
