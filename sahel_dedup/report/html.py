"""The report as one HTML file: no network, no foreign script, and no data that is executed.

Article text is untrusted. It is in the page only inside data blocks, which are not scripts, and
enters the document only as text nodes. The content security policy allows the one script and the
one style sheet of the page, by their hashes, and no requests.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import json
import os
import warnings
from collections.abc import Iterable, Iterator, Mapping
from importlib import resources
from typing import Any

from jinja2.utils import htmlsafe_json_dumps
from markupsafe import Markup

from sahel_dedup.clustering.stories import Stories
from sahel_dedup.corrections.corrections import Corrections
from sahel_dedup.errors import SahelWarning, SettingsError
from sahel_dedup.io.probable_mistakes import unknown_ids
from sahel_dedup.io.readers import Place
from sahel_dedup.io.writers import check_folder, replacing
from sahel_dedup.report.charts import plots, weakest
from sahel_dedup.report.grouping import LISTED_STORIES, Collected, collect
from sahel_dedup.report.story_data import Builder
from sahel_dedup.util.templating import templates
from sahel_dedup.util.values import path_text, show


def write_report(
    rows: Stories | Iterable[Mapping[str, object]],
    path: str | os.PathLike[str],
    *,
    audit: Mapping[str, Any] | None = None,
    title: str = "Stories",
    singletons: bool = False,
    corrections: Corrections | Iterable[Any] | Any | None = None,
) -> None:
    """Write a report of a clustered archive: one self-contained HTML file.

    Parameters
    ----------
    rows : Stories or iterable of Mapping
        The result of `sahel_dedup.cluster`, with its corrections unless others are given; or rows
        that the ``cluster`` command writes: ``id`` and ``story_id``, and optionally
        ``canonical``, ``relation``, ``similarity``, ``title``, ``text``, ``published``, ``source``
        and ``lang``. They are kept in memory.
    path
        The file, which appears under its name only when it is complete.
    audit : Mapping, optional
        Findings about the archive that the rows do not contain, as in the audit's ``to_dict``:
        ``estimated_precision`` and ``template_share`` (0 to 1, or ``None``) and ``weakest``
        (mappings with ``story``, ``first``, ``second``, ``similarity`` and ``score``, weakest
        first). Without it, the precision is estimated from the dates, and the weakest links are
        those with the lowest similarity to their story.
    title
        Heading of the report.
    singletons
        Whether to list stories of one article. They are always counted.
    corrections
        Anything that `sahel_dedup.Corrections.read` accepts. The page shows which stories and pairs
        corrections decided, and which corrections the rows do not follow.

    Raises
    ------
    ArticleError
        If a row has no id or no story, repeats an id, or has a similarity that cannot be read. Also
        if a row of corrections is not a correction.
    CorrectionError
        If corrections contradict each other.
    FileError, OSError
        If no file can be created there, or writing fails.

    Warns
    -----
    SahelWarning
        If `corrections` name articles that the rows do not have.

    Notes
    -----
    The 10,000 largest stories are listed, with up to 100 articles each and up to 20,000
    characters of an article; the page says what it leaves out.
    """
    given = corrections is not None
    if isinstance(rows, Stories):
        corrections = rows.corrections if corrections is None else corrections
        rows = _rows_of(rows)
    elif not isinstance(rows, Iterable) or isinstance(rows, str | Mapping):
        raise SettingsError(f"rows: {show(rows)} is neither a result of cluster nor its rows")
    placed = ((Place(None, number), row) for number, row in enumerate(rows, start=1))
    found = write_placed(
        placed, path, audit=audit, title=title, singletons=singletons, corrections=corrections
    )
    if given and found.unknown:
        said = unknown_ids(len(found.unknown), found.unknown[0])
        warnings.warn(said, SahelWarning, stacklevel=2)


def _known(audit: Mapping[str, Any] | None) -> Mapping[str, Any]:
    if audit is None or isinstance(audit, Mapping):
        return audit or {}
    raise SettingsError(f"audit: {show(audit)} is not a mapping; write audit(stories).to_dict()")


def _rows_of(stories: Stories) -> Iterator[dict[str, object]]:
    """Yield the rows of a result, with what is known of the articles."""
    if stories.articles is None:
        yield from stories.rows()
        return
    names = ("title", "text", "published", "source", "lang")
    for article, row in zip(stories.articles, stories.rows(), strict=True):
        yield {name: getattr(article, name) for name in names} | row


def write_placed(
    rows: Iterable[tuple[Place, Mapping[str, object]]],
    path: str | os.PathLike[str],
    *,
    audit: Mapping[str, Any] | None = None,
    title: str = "Stories",
    singletons: bool = False,
    corrections: Corrections | Iterable[Any] | Any | None = None,
) -> Collected:
    """Write a report of rows that know where they came from, so that errors can name it.

    See `write_report`. What was read is returned.
    """
    known, followed, name = _known(audit), Corrections.read(corrections), path_text(path)
    if not isinstance(title, str):
        raise SettingsError(f"title: {show(title)} is not a string")
    check_folder(name)
    with replacing(name) as (out, _):
        collected = collect(rows, singletons=singletons, corrections=followed)
        builder = Builder(collected.decided)
        # The index precedes the details in the file but is known only after them.
        chunks = list(builder.chunks(collected.listed))
        script, style = _asset("report.js"), _asset("report.css")
        several = sum(n for size, n in collected.sizes.items() if size > 1)
        page = (
            templates()
            .get_template("report/report.html")
            .generate(
                title=title,
                policy=_policy(script, style),
                script=script,
                style=style,
                index=_data(builder.index),
                chunks=chunks,
                articles=collected.articles,
                stories=collected.sizes.total(),
                several=several,
                singles=collected.sizes[1],
                left_out=max(
                    0, (collected.sizes.total() if singletons else several) - LISTED_STORIES
                ),
                plots=plots(collected),
                weakest=weakest(collected, known),
                precision=known.get("estimated_precision", collected.precision),
                recurring=known.get("template_share"),
            )
        )
        # An untrusted title may contain characters that UTF-8 cannot encode.
        out.writelines(piece.encode("utf-8", "replace") for piece in page)
    return collected


def _data(value: Any) -> Markup:
    """Write JSON that is safe inside a script element: no tag, comment or line separator."""
    dumps = functools.partial(json.dumps, ensure_ascii=False, separators=(",", ":"))
    safe = htmlsafe_json_dumps(value, dumps)
    return Markup(safe.replace("\u2028", "\\u2028").replace("\u2029", "\\u2029"))


def _asset(name: str) -> Markup:
    """Read a file of the package, which is trusted."""
    source = resources.files("sahel_dedup") / "templates" / "report" / name
    return Markup(source.read_text("utf-8"))


def _policy(script: str, style: str) -> str:
    """Return a content security policy: this script, this style sheet and nothing else."""
    script_hash, style_hash = (
        base64.b64encode(hashlib.sha256(part.encode()).digest()).decode()
        for part in (script, style)
    )
    return (
        f"default-src 'none'; script-src 'sha256-{script_hash}'; "
        f"style-src 'sha256-{style_hash}'; img-src data:; base-uri 'none'; form-action 'none'"
    )
