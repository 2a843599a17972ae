"""No command writes to a file that it reads, whatever the file is called."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from sahel_dedup.cli import app
from sahel_dedup.errors import SahelError
from sahel_dedup.io.collisions import STDOUT, check_apart

# Every parameter of every command that names a file is one or the other.
READ = {"inputs", "out", "gold", "pairs", "stories", "archive", "file", "saved", "corrections",
        "previous", "model", "token_file"}  # fmt: skip
WRITTEN = {"output": "--output", "report": "--report", "checkpoint": "--checkpoint",
           "index_file": "--index", "dead_letters": "--dead-letters", "copy": "COPY",
           "new": "NEW", "save": "--save", "changes": "--changes", "answers": "--answers",
           "sheet": "--sheet"}  # fmt: skip
# Where a name means the opposite.
TURNED: dict[tuple[str, ...], tuple[set[str], dict[str, str]]] = {
    ("index", "restore"): ({"copy"}, {"file": "FILE"}),
    ("index", "correct"): ({"corrections"}, {"file": "FILE"}),
}
FILES = ("FILE", "FOLDER", "INPUT", "OUT", "STORIES", "PAIRS", "COPY", "NEW", "SAVED", "MODEL",
         "ARCHIVE", "CORRECTIONS")  # fmt: skip
ROW = '{"id": "a", "text": "Rain fell."}\n'


class Command(NamedTuple):
    """A command, and its parameters that name files."""

    name: tuple[str, ...]
    parameters: list[Any]

    @property
    def roles(self) -> tuple[set[str], dict[str, str]]:
        return TURNED.get(self.name, (READ, WRITTEN))

    @property
    def reads(self) -> list[str]:
        return [p.name for p in self.parameters if p.name in self.roles[0]]

    @property
    def writes(self) -> dict[str, str]:
        named = [p.name for p in self.parameters]
        return {name: shown for name, shown in self.roles[1].items() if name in named}

    def arguments(self, **files: str) -> list[str]:
        """Fill in the parameters with files, by their names."""
        options, positional = [], []
        for parameter in self.parameters:
            usual = "in.jsonl" if parameter.name in self.reads else "out.jsonl"
            given = files.get(parameter.name, usual if parameter.required else None)
            if given is None:
                continue
            if parameter.param_type_name == "argument":
                positional.append(given)
            else:
                options += [parameter.opts[0], given]
        more = ["a", "b"] if self.name == ("explain",) else []
        return [*self.name, *positional, *more, *options]


def commands() -> Iterator[Command]:
    group: Any = get_command(app)
    for name, command in group.commands.items():
        if command.deprecated:  # another name of a command
            continue
        inner = getattr(command, "commands", None)
        for path, leaf in (
            [((name, sub), leaf) for sub, leaf in inner.items()] if inner else [((name,), command)]
        ):
            named = [p for p in leaf.params if any(kind in (p.metavar or "") for kind in FILES)]
            yield Command(path, named)


COMMANDS = list(commands())


def test_every_file_of_every_command_is_known_as_read_or_written() -> None:
    assert len(COMMANDS) >= 15
    for command in COMMANDS:
        for parameter in command.parameters:
            known = [*command.reads, *command.writes]
            assert parameter.name in known, (command.name, parameter)


def aliases(folder: Path, kind: str) -> str:
    """Give the file in.jsonl another name."""
    if kind == "same":
        return "in.jsonl"
    if kind == "another path":
        return f"../{folder.name}/./in.jsonl"
    if kind == "symbolic link":
        os.symlink("in.jsonl", "link.jsonl")
        return "link.jsonl"
    os.link("in.jsonl", "hard.jsonl")
    return "hard.jsonl"


KINDS = ["same", "another path", "symbolic link", "hard link"]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in.jsonl").write_text(ROW)
    return tmp_path


def refused(arguments: list[str], option: str, folder: Path) -> None:
    before = sorted(os.listdir())
    done = CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert done.exit_code == 2, done.output
    assert done.stderr.startswith(f"error: {option}")
    assert done.stderr.count("\n") == 1
    assert (folder / "in.jsonl").read_text() == ROW
    assert sorted(os.listdir()) == before


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("command", "read", "written"),
    [
        pytest.param(command, read, written, id="-".join((*command.name, read, written)))
        for command in COMMANDS
        for read in command.reads
        for written in command.writes
    ],
)
def test_no_option_writes_what_is_read(
    command: Command, read: str, written: str, kind: str, folder: Path
) -> None:
    other = aliases(folder, kind)
    arguments = command.arguments(**{read: "in.jsonl", written: other})
    refused(arguments, command.writes[written], folder)
    if command.name == ("cluster",):
        refused([*arguments, "--on-error", "skip"], command.writes[written], folder)
        refused([*arguments, "--engine", "spark"], command.writes[written], folder)
        refused(["cluster", "*.jsonl", *arguments[2:]], command.writes[written], folder)


@pytest.mark.parametrize(
    ("command", "one", "other"),
    [
        pytest.param(command, one, other, id="-".join((*command.name, one, other)))
        for command in COMMANDS
        for one, other in combinations(command.writes, 2)
    ],
)
@pytest.mark.parametrize("kind", [*KINDS, "not there yet"])
def test_no_two_options_write_one_file(
    command: Command, one: str, other: str, kind: str, folder: Path
) -> None:
    (folder / "source.jsonl").write_text(ROW)
    os.symlink(".", "here")
    names = ("out.jsonl", "here/out.jsonl") if kind == "not there yet" else (
        "in.jsonl", aliases(folder, kind))  # fmt: skip
    refused(
        command.arguments(inputs="source.jsonl", **{one: names[0], other: names[1]}), "--", folder
    )


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
@pytest.mark.parametrize(
    ("command", "read"),
    [
        pytest.param(command, read, id="-".join((*command.name, read)))
        for command in COMMANDS
        for read in command.reads
    ],
)
def test_no_standard_stream_goes_to_what_is_read(
    command: Command, read: str, stream: str, monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    with open("in.jsonl", "a") as file:
        monkeypatch.setattr("sys." + stream, file)
        with pytest.raises(SystemExit) as ended:
            app(command.arguments(**{read: "in.jsonl"}))
    assert ended.value.code == 2
    said = (folder / "in.jsonl").read_text()
    # The error itself goes where it was sent.
    assert said == ROW if stream == "stdout" else said.startswith(ROW + "error: standard error")


def test_standard_input_that_is_a_file_counts_as_read(monkeypatch: pytest.MonkeyPatch) -> None:
    with open("in.jsonl") as file:
        monkeypatch.setattr("sys.stdin", file)
        with pytest.raises(SahelError, match=r"'in\.jsonl' is the same file as standard input"):
            check_apart(["-"], {"--output": "in.jsonl"})


def test_standard_output_that_is_a_file_counts_as_written(monkeypatch: pytest.MonkeyPatch) -> None:
    with open("out.html", "w") as file:
        monkeypatch.setattr("sys.stdout", file)
        with pytest.raises(SahelError, match="--output and --report are both"):
            check_apart(["in.jsonl"], {"--output": STDOUT, "--report": "out.html"})


@pytest.mark.parametrize("ending", ["-wal", "-shm", "-lock", "-arrays"])
def test_the_files_beside_an_index_belong_to_it(ending: str, folder: Path) -> None:
    (folder / "news.index").touch()
    (folder / f"news.index{ending}").touch()
    os.symlink(f"news.index{ending}", "link.jsonl")
    with pytest.raises(SahelError, match=r"link\.jsonl"):
        check_apart(["news.index"], {"--output": "link.jsonl"})


@pytest.mark.parametrize(
    ("read", "written"),
    [
        ("work/in.jsonl", "work"),
        ("work/*.jsonl", "work"),
        ("work", "work/kept"),
        ("work", "work/part/out.parquet"),
        ("file:///{}/work/in.jsonl", "work"),
        ("file:{}/work", "file://{}/work/kept"),
        ("hdfs://host/news", "hdfs://host/news"),
        ("hdfs://host/news", "hdfs://host/news/out"),
    ],
)
def test_folders_that_lie_one_inside_the_other(read: str, written: str, folder: Path) -> None:
    (folder / "work").mkdir()
    (folder / "work" / "in.jsonl").write_text(ROW)
    with pytest.raises(SahelError, match="--checkpoint: "):
        check_apart([read.format(folder)], {"--checkpoint": written.format(folder)})


def test_what_has_nothing_to_do_with_each_other_is_left_alone(folder: Path) -> None:
    (folder / "work").mkdir()
    with open("in.jsonl") as given, contextlib.redirect_stdout(given):
        # An option that was not given is no standard output.
        check_apart([None, "other.jsonl"], {"--save": None})
    with open(os.devnull, "w") as null, contextlib.redirect_stdout(null):
        check_apart(
            ["in.jsonl", "in*.jsonl", "-", "none.jsonl", "work2", "/dev/null"],
            {"--output": STDOUT, "--report": "in.jsonl.html", "--checkpoint": "work"},
        )
