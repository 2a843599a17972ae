"""``serve``: serves an index to many programs over HTTP."""

from __future__ import annotations

import os
from contextlib import closing
from typing import Annotated

import typer

from sahel_dedup.cli.index import settings_for
from sahel_dedup.cli.index_options import (
    Fields,
    IndexGranularity,
    IndexWindow,
    Retention,
    Texts,
    Wait,
)
from sahel_dedup.cli.options import ModelFile
from sahel_dedup.cli.terminal import note
from sahel_dedup.errors import FileError, SettingsError, missing_package
from sahel_dedup.io.collisions import check_apart

_TOKEN = "SAHEL_DEDUP_TOKEN"
_FEWEST_LETTERS = 16
_MB = 1 << 20


def serve(
    index_file: Annotated[
        str,
        typer.Option("--index", metavar="FILE", help="File of the index, created if missing."),
    ] = "stories.index",
    host: Annotated[
        str,
        typer.Option(
            help="Address to listen on. 0.0.0.0 can be reached from other machines, so it needs "
            "a token."
        ),
    ] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port to listen on; 0 chooses a free one.")
    ] = 8750,
    token_file: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="File whose first line is the token that requests must send; by default, the "
            f"variable {_TOKEN} is used. A token is required unless the address is a "
            "loopback address.",
            show_default=False,
        ),
    ] = None,
    allow_host: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="Additional host name to accept, such as that of a proxy on this machine; may "
            "be repeated.",
            show_default=False,
        ),
    ] = None,
    granularity: IndexGranularity = None,
    window: IndexWindow = None,
    model: ModelFile = None,
    retention: Retention = None,
    keep_texts: Texts = True,
    keep_fields: Fields = False,
    queue: Annotated[
        int,
        typer.Option(
            min=1, help="Maximum number of waiting articles; further requests get the status 429."
        ),
    ] = 4096,
    max_body: Annotated[
        int, typer.Option(metavar="MB", min=1, help="Maximum size of a request.")
    ] = 16,
    wait: Wait = 0,
) -> None:
    """Serve an index over HTTP, so that many programs can add articles and query it.

    A request to add an article is answered once the article is in the file. After SIGTERM or
    Ctrl-C, requests that have begun are still answered.
    """
    try:
        from sahel_dedup.serve.server import Limits, listen
        from sahel_dedup.serve.server import serve as run
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("sahel_dedup"):
            raise
        raise missing_package("serve", error, "serve") from None
    from sahel_dedup.index.story_index import StoryIndex

    check_apart([token_file, model], {"--index": index_file})
    token = _token(token_file)
    with (
        closing(listen(host, port)) as taken,
        StoryIndex.open(
            index_file,
            settings_for(index_file, granularity, window, model),
            retention=retention,
            keep_texts=keep_texts,
            keep_fields=keep_fields,
            timeout=wait,
        ) as index,
    ):
        run(
            index,
            taken,
            token=token,
            names=allow_host or (),
            limits=Limits(body_bytes=max_body * _MB, waiting=queue),
            on_ready=lambda url: note(f"{index_file} is served on {url}"),
        )


def _token(path: str | None) -> str | None:
    """Return the token that requests must have."""
    if path is None:
        where, token = _TOKEN, os.environ.get(_TOKEN, "")
        if not token:
            return None
    else:
        where = path
        try:
            with open(path, encoding="utf-8") as file:
                token = file.readline(4096).strip()
        except (OSError, ValueError) as error:
            raise FileError(f"cannot read {path!r}: {error}") from error
    if len(token) < _FEWEST_LETTERS or not token.isascii() or not token.isprintable():
        raise SettingsError(
            f"{where}: a token has at least {_FEWEST_LETTERS} ASCII characters; `openssl rand "
            "-hex 32` makes one"
        )
    return token
