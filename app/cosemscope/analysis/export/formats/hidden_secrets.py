"""Trees without what nobody else should see: never a key, and passwords only where somebody asks for them."""

from cosemscope.apdu.context import Context, Reference
from cosemscope.apdu.fields import Decoded, Field, first, walk
from cosemscope.apdu.summary import is_secret
from cosemscope.wording import count

#: Fields that are keys.
_KEYS = frozenset(("dedicated-key",))
_PASSWORD, _MECHANISM, _LOW_LEVEL = "calling-authentication-value", "mechanism-name", ".2.1"
_HIDDEN = "not shown"


def without_secrets(decoded: Decoded, context: Context, *, passwords: bool = False) -> Decoded:
    """The same tree, in which keys, and without `passwords` these too, are fields that say so.

    Of an APDU that reads or writes a secret attribute nothing but its name is left.
    """
    if not passwords and _tells_secret(decoded, context):
        root = decoded.root
        told = f"a secret, {count(root.stop - root.start, 'octet')}, {_HIDDEN}"
        return decoded._replace(root=root._replace(children=(), value=None, text=told), problems=())
    mechanism = first(decoded.root, _MECHANISM)
    is_low = mechanism is not None and str(mechanism.value).endswith(_LOW_LEVEL)
    hidden = _KEYS | {_PASSWORD} if is_low and not passwords else _KEYS
    if not any(field.name in hidden for field in walk(decoded.root)):
        return decoded
    return decoded._replace(root=_without(decoded.root, hidden))


def _tells_secret(decoded: Decoded, context: Context) -> bool:
    """Whether the APDU reads or writes a secret: what it names, or what its request did."""
    request = context.request
    references = list(request.references) if request is not None else []
    for field in walk(decoded.root):
        listed = field.value if isinstance(field.value, tuple) else ()
        references += [one for one in (field.value, *listed) if isinstance(one, Reference)]
    return any(map(is_secret, references))


def _without(field: Field, hidden: frozenset[str]) -> Field:
    if field.name in hidden and field.value is not None:
        return field._replace(
            children=(), value=None, text=f"{count(field.stop - field.start, 'octet')}, {_HIDDEN}"
        )
    if not field.children:
        return field
    return field._replace(children=tuple(_without(child, hidden) for child in field.children))
