"""Files are replaced whole or not at all, with their modes and through links, leaving nothing."""

import os
import signal
import stat
import subprocess
import sys
import time

import pytest

import uticket_lite as ut
from uticket_lite.edge.files import write_atomically

TICKET = ut.synthetic_ticket("digits")


@pytest.mark.parametrize("umask", [0o022, 0o077, 0o002])
def test_new_files_follow_the_umask(tmp_path, umask):
    before = os.umask(umask)
    try:
        TICKET.save(tmp_path / "t.safetensors")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "t.safetensors").stat().st_mode) == 0o666 & ~umask


def test_files_keep_their_mode(tmp_path):
    file = tmp_path / "t.safetensors"
    TICKET.save(file)
    for mode in (0o664, 0o600, 0o644):
        file.chmod(mode)
        TICKET.save(file)
        assert stat.S_IMODE(file.stat().st_mode) == mode


def test_links_are_written_through(tmp_path):
    (tmp_path / "there").mkdir()
    file, link = tmp_path / "there" / "t.safetensors", tmp_path / "link.safetensors"
    link.symlink_to(file)
    for _ in range(2):  # a link to nothing yet, then to a file
        TICKET.save(link)
        assert link.is_symlink()
        assert not file.is_symlink()
        assert ut.load_ticket(link).sparsity == TICKET.sparsity
    assert os.listdir(tmp_path / "there") == ["t.safetensors"]
    assert sorted(os.listdir(tmp_path)) == ["link.safetensors", "there"]


def test_what_killed_writes_leave_is_swept_by_the_next(tmp_path):
    code = f"""import os, sys
from uticket_lite.edge.files import write_atomically
os.fsync = lambda file: (print("writing", flush=True), sys.stdin.read())
write_atomically({str(tmp_path / "t.bin")!r}, b"half")"""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen([sys.executable, "-c", code], **pipes) as writer:
        assert writer.stdout.readline() == b"writing\n"
        write_atomically(tmp_path / "t.bin", b"whole")
        assert len(os.listdir(tmp_path)) == 2  # a writer that lives is left alone
        writer.send_signal(signal.SIGKILL)
    old, young = tmp_path / ".t.bin.abcd1234", tmp_path / ".t.bin.host-b.7.abcd1234.part"
    other = tmp_path / ".another.bin.abcd1234"
    for part in (old, young, other):
        part.write_bytes(b"half")
    for part in (old, other):
        os.utime(part, (time.time() - 1e6,) * 2)
    write_atomically(tmp_path / "t.bin", b"new")
    assert sorted(os.listdir(tmp_path)) == sorted([young.name, other.name, "t.bin"])
    assert (tmp_path / "t.bin").read_bytes() == b"new"


def test_errors_about_files_hold_no_escape_sequences(tmp_path):
    file = tmp_path / "t.safetensors"
    ut.Ticket.from_arrays({"conv\x1b[31m1": [[1, 0]]}).save(file)
    assert list(ut.load_ticket(file).layers) == ["conv\x1b[31m1"]
    content = file.read_bytes().replace(b"\\\\u001b[31m1/gaps", b"\\\\u001b[31m1/gapS")
    content = content.replace(b"\\u001b[31m1/gaps", b"\\u001b[31m1/gapS")
    file.write_bytes(content)
    with pytest.raises(ValueError, match="cannot be read") as refused:
        ut.load_ticket(file)
    assert "\x1b" not in str(refused.value)
