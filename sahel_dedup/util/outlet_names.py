"""Names of outlets: one form for each host, and names that may mean one outlet."""

from __future__ import annotations

import re
from collections.abc import Iterable

# A host, with or without scheme, port and path. Names such as `A.F.P` are none. It is looked for at
# the start alone: from every place, its work would grow with the square of a name.
_HOST = re.compile(
    r"\A(?:[a-z][a-z0-9+.-]*+://)?((?:[\w-]+\.)+[a-z][a-z-]+)\.?(?::\d+)?(/\S*)?", re.IGNORECASE
)
# Before the last label of a host: co.uk, com.au.
_SECOND_LEVEL = frozenset({"ac", "co", "com", "edu", "go", "gob", "gov", "ne", "net", "or", "org"})
_GENERAL = frozenset({"news", "online", "the", "web"})
_SHORTEST = 2


def outlet_name(source: str) -> str:
    """Return the name of an outlet without spaces around it, and a host in its usual form.

    Scheme, port, ``www.`` and capitals do not make another outlet of a host. Other names, and the
    path of an address, stay as they are.

    Examples
    --------
    >>> outlet_name(" https://WWW.BBC.com:443/ "), outlet_name("BBC News")
    ('bbc.com', 'BBC News')
    """
    name = source.strip()
    # Most names are no hosts, and a host has a dot.
    match = _HOST.fullmatch(name) if "." in name else None
    if match is None:
        return name
    return match[1].lower().removeprefix("www.") + (match[2] or "").rstrip("/")


def alike_outlets(outlets: Iterable[str]) -> list[list[str]]:
    """Group the outlets whose names may mean one: ``BBC``, ``BBC News``, ``bbc.co.uk``.

    Some are different nevertheless, as are those of one name in two countries.

    Returns
    -------
    list of (list of str)
        Sorted; each group has at least two names.
    """
    group_of: dict[str, list[str]] = {}
    for name in sorted(outlets):
        known = {id(group): group for form in _forms(name) if (group := group_of.get(form))}
        joined = sorted([name, *(member for group in known.values() for member in group)])
        for member in joined:
            group_of.update(dict.fromkeys(_forms(member), joined))
    groups = {id(group): group for group in group_of.values() if len(group) > 1}
    return sorted(groups.values())


def _forms(name: str) -> set[str]:
    """Return what is compared of a name: its words, with and without general ones like "news"."""
    match = _HOST.fullmatch(name) if "." in name else None
    if match is not None and not match[2]:
        labels = match[1].lower().removeprefix("www.").split(".")[:-1]
        if len(labels) > 1 and labels[-1] in _SECOND_LEVEL:
            labels.pop()
        # Many outlets can be below one domain, such as blogspot.com.
        forms = {".".join(labels).replace("-", "")}
    else:
        words = re.findall(r"[^\W_]+", name.casefold())
        forms = {"".join(words), "".join(word for word in words if word not in _GENERAL)}
    return {form for form in forms if len(form) >= _SHORTEST}
