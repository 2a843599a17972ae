"""The cache of machine code: places, trust, damage, and a full disk."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from sahel_dedup.util import code_cache
from sahel_dedup.util.code_cache import CodeCache, digest_of_sources, open_folder

DIGEST = "0123456789abcdef"
needs_owners = pytest.mark.skipif(os.name == "nt", reason="folders have no mode on Windows")


@pytest.fixture
def chosen(tmp_path: Path) -> Path:
    folder = tmp_path / "chosen"
    folder.mkdir(mode=0o755)
    return folder


def test_a_piece_comes_back(chosen: Path) -> None:
    folder = open_folder(DIGEST, str(chosen))
    assert folder == chosen / f"sahel_dedup-{DIGEST}"
    CodeCache(folder).write("loop", b"code")
    assert CodeCache(folder).read("loop") == b"code"
    assert CodeCache(folder).read("other") is None
    assert [path.name for path in folder.iterdir()] == ["loop"]


def test_without_a_folder_nothing_is_kept() -> None:
    cache = CodeCache(None)
    cache.write("loop", b"code")
    assert cache.read("loop") is None


@pytest.mark.parametrize("left", [0, 1, 15, 16, 17, -1])
def test_a_file_cut_short_is_named_and_made_again(
    chosen: Path, left: int, caplog: pytest.LogCaptureFixture
) -> None:
    cache = CodeCache(open_folder(DIGEST, str(chosen)))
    assert cache.folder is not None
    cache.write("loop", b"code")
    path = cache.folder / "loop"
    path.write_bytes(path.read_bytes()[:left])
    assert cache.read("loop") is None
    assert f"'{cache.folder}' is damaged" in caplog.text
    cache.write("loop", b"code")
    assert cache.read("loop") == b"code"


def test_any_flipped_bit_is_found(chosen: Path) -> None:
    cache = CodeCache(open_folder(DIGEST, str(chosen)))
    assert cache.folder is not None
    cache.write("loop", b"code")
    path = cache.folder / "loop"
    whole = path.read_bytes()
    for bit in range(8 * len(whole)):
        flipped = bytearray(whole)
        flipped[bit // 8] ^= 1 << bit % 8
        path.write_bytes(flipped)
        assert cache.read("loop") is None


@needs_owners
@pytest.mark.parametrize("mode", [0o775, 0o757, 0o777, 0o1777])
@pytest.mark.parametrize("which", ["chosen", "made"])
def test_a_folder_that_others_can_write_is_refused(
    chosen: Path, mode: int, which: str, caplog: pytest.LogCaptureFixture
) -> None:
    made = open_folder(DIGEST, str(chosen))
    assert made is not None
    refused = chosen if which == "chosen" else made
    refused.chmod(mode)
    assert open_folder(DIGEST, str(chosen)) is None
    assert f"'{refused}' is writable by others" in caplog.text


@needs_owners
def test_a_folder_of_another_user_is_refused(
    chosen: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    open_folder(DIGEST, str(chosen))
    real = Path.stat

    def stat(path: Path, **options: bool) -> os.stat_result:
        found = list(real(path, **options))
        found[4] += 4242 * (path == chosen)
        return os.stat_result(found)

    monkeypatch.setattr(Path, "stat", stat)
    assert open_folder(DIGEST, str(chosen)) is None
    assert f"'{chosen}' belongs to another user" in caplog.text


def test_the_folder_is_made_in_the_users_cache_where_the_package_is_read_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(code_cache, "_beside_package", lambda: iter([tmp_path / "file" / "x"]))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "cache"))
    (tmp_path / "file").touch()
    folder = open_folder(DIGEST)
    assert folder is not None
    assert folder.name == f"sahel_dedup-{DIGEST}"
    assert "sahel_dedup" in folder.parts
    assert caplog.text == ""


def test_nowhere_to_keep_it_is_said_with_the_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setattr(code_cache, "_beside_package", lambda: iter([tmp_path / "file" / "a"]))
    monkeypatch.setattr(code_cache, "_in_users_cache", lambda: iter([tmp_path / "file" / "b"]))
    assert open_folder(DIGEST) is None
    assert str(tmp_path / "file" / "a") in caplog.text
    assert str(tmp_path / "file" / "b") in caplog.text
    assert "Set NUMBA_CACHE_DIR" in caplog.text


def test_a_full_disk_is_said_once(
    chosen: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    cache = CodeCache(open_folder(DIGEST, str(chosen)))

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    for name in ("one", "two"):
        cache.write(name, b"code")
        assert cache.read(name) is None
    assert len(caplog.records) == 1
    assert f"'{cache.folder}': No space left on device" in caplog.text
    assert cache.folder is not None
    assert list(cache.folder.iterdir()) == []


def test_old_folders_are_removed_when_a_new_one_is_made(chosen: Path) -> None:
    (chosen / "something else").mkdir()
    for number in range(6):
        folder = open_folder(f"{number:016x}", str(chosen))
        assert folder is not None
        CodeCache(folder).write("loop", b"code")
        os.utime(folder, (number, number))
    names = sorted(path.name for path in chosen.iterdir())
    assert names == ["sahel_dedup-" + f"{n:016x}" for n in (3, 4, 5)] + ["something else"]


def test_a_source_that_changed_since_the_import_ends_the_keeping(
    chosen: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = CodeCache(open_folder(DIGEST, str(chosen)))
    monkeypatch.setattr(code_cache, "_STAMP_AT_IMPORT", ())
    cache.write("loop", b"code")
    assert cache.read("loop") is None


def test_the_digest_depends_on_what_it_is_given() -> None:
    assert digest_of_sources() == digest_of_sources()
    assert digest_of_sources(["0.61"]) != digest_of_sources(["0.62"])
