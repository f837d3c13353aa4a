# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the transactions are kept: a folder for each, below one that only root can read."""

import calendar
import errno
import fcntl
import json
import os
import re
import shutil
import stat
import time
from contextlib import contextmanager, suppress
from typing import Iterator, List, NamedTuple

from . import entry_format
from .changes import Entry
from .errors import TransactionError, why
from .file_write import sync_folder, write_all

DEFAULT_PATH = "/var/lib/tcpops-timewait"
KEEP_DAYS = 30
_ENTRY = "entry.json"
_LOCK = "lock"
#: Begins the name of a folder that is being made or taken away: it is not an entry.
_PARTIAL = ".partial-"
_SECONDS_A_DAY = 86400
_ID_TIME = "%Y%m%dT%H%M%S"
_ID = re.compile(r"\d{8}T\d{6}\.\d{6}Z\Z")


class Contents(NamedTuple):
    """``entries``: oldest first. ``damaged``: a sentence for each that cannot be read."""

    entries: List[Entry]
    damaged: List[str]


class Journal:
    """The transactions of one host.

    :param path: its folder.
    :param keep_days: days after which a finished entry goes, but for the newest committed one.
    :param wait_seconds: how long to wait for another run.
    """

    def __init__(self, path: str = DEFAULT_PATH, keep_days: int = KEEP_DAYS, wait_seconds: float = 30) -> None:
        self.path = path
        self.keep_days = keep_days
        self.wait_seconds = wait_seconds

    def exists(self) -> bool:
        """Whether anything was ever written.

        :raises TransactionError: when that cannot be told.
        """
        try:
            os.stat(self.path)
        except OSError as error:
            if error.errno == errno.ENOENT:
                return False
            raise self._failed("read", error) from None
        return True

    @contextmanager
    def lock(self) -> Iterator[None]:
        """One run at a time. The lock goes with the process that holds it, however it ends.

        :raises TransactionError: when the folder cannot be made or used, or another run goes on for too long.
        """
        try:
            self._make_folder()
            flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
            descriptor = os.open(os.path.join(self.path, _LOCK), flags, 0o600)
        except OSError as error:
            raise self._failed("written", error) from None
        try:
            self._wait_for(descriptor)
            self._remove_partial()
            yield
        finally:
            os.close(descriptor)

    def read(self) -> Contents:
        """All entries.

        :raises TransactionError: when the folder cannot be read, or a newer version wrote into it.
        """
        found = Contents([], [])
        try:
            names = sorted(os.listdir(self.path))
        except OSError as error:
            if error.errno == errno.ENOENT:
                return found
            raise self._failed("read", error) from None
        for name in names:
            if name == _LOCK or name.startswith(_PARTIAL):
                continue
            try:
                found.entries.append(self._read_entry(name))
            except (OSError, KeyError, TypeError, ValueError) as error:
                if not os.path.lexists(os.path.join(self.path, name)):
                    continue  # pruned meanwhile: who only reads takes no lock
                found.damaged.append(
                    "%s is no readable entry of the journal (%s: %s) and is left alone: see what is in it, "
                    "then move it away" % (os.path.join(self.path, name), type(error).__name__, error)
                )
        return Contents(derive_states(found.entries), found.damaged)

    def _read_entry(self, name: str) -> Entry:
        folder = os.path.join(self.path, name)

        def read_bytes(file_name: str) -> bytes:
            with open(os.path.join(folder, os.path.basename(file_name)), "rb") as stream:
                return stream.read()

        data = json.loads(read_bytes(_ENTRY).decode("ascii"))
        if isinstance(data["format"], int) and data["format"] > entry_format.FORMAT:
            raise TransactionError(
                "the journal entry %s has format %d, which a newer version of this collection wrote and this one "
                "(format %d) leaves untouched: use the newer one on this host"
                % (folder, data["format"], entry_format.FORMAT)
            )
        if data["id"] != name:
            raise ValueError("it says that its id is %r" % data["id"])
        return entry_format.decode(data, read_bytes)

    def next_id(self) -> str:
        """The time in UTC, later than every id in use: a clock that was set back does not change the order."""
        now = _micro_id(int(time.time() * 1000000))
        last = max([name for name in os.listdir(self.path) if _ID.match(name)], default="")
        if now > last:
            return now
        seconds, _dot, micro = last[:-1].partition(".")
        return _micro_id(calendar.timegm(time.strptime(seconds, _ID_TIME)) * 1000000 + int(micro) + 1)

    def begin(self, entry: Entry) -> None:
        """Put the intent and all preimages on disk; only then may anything be touched.

        :raises TransactionError: when that cannot be done; there is no entry then.
        """
        data, blobs = entry_format.encode(entry)
        partial = os.path.join(self.path, _PARTIAL + entry.id)
        try:
            os.mkdir(partial, 0o700)
            for name, content in blobs.items():
                _write(os.path.join(partial, name), content)
            _write(os.path.join(partial, _ENTRY), _as_json(data))
            sync_folder(partial)
            os.rename(partial, os.path.join(self.path, entry.id))
            sync_folder(self.path)
        except OSError as error:
            with suppress(OSError):  # else the next run does it
                shutil.rmtree(partial)
            raise TransactionError("%s; nothing was changed" % self._failed("written", error)) from None

    def adopt(self, entry: Entry) -> None:
        """Write an entry anew whose steps changed, contents beside it first.

        :raises TransactionError: when that cannot be done.
        """
        try:
            for name, content in entry_format.encode(entry)[1].items():
                _write(os.path.join(self.path, entry.id, name), content)
        except OSError as error:
            raise self._failed("written", error) from None
        self.update(entry)

    def update(self, entry: Entry) -> None:
        """Write an entry anew, at once: its contents beside it stay.

        :raises TransactionError: when that cannot be done; the entry is then as it was.
        """
        folder = os.path.join(self.path, entry.id)
        temporary = os.path.join(folder, "." + _ENTRY)
        try:
            _write(temporary, _as_json(entry_format.encode(entry)[0]))
            os.rename(temporary, os.path.join(folder, _ENTRY))
            sync_folder(folder)
        except OSError as error:
            raise self._failed("written", error) from None

    def prune(self) -> None:
        """Remove finished entries that are older than ``keep_days``; the newest committed one stays.

        :raises TransactionError: when one cannot be removed.
        """
        entries = [entry for entry in self.read().entries if entry.state != "open"]
        committed = [entry.id for entry in entries if (entry.kind, entry.state) == ("change", "committed")]
        newest = max(committed, default="")
        limit = time.strftime(_ID_TIME, time.gmtime(time.time() - self.keep_days * _SECONDS_A_DAY))
        try:
            for entry in entries:
                if entry.id < limit and entry.id != newest:
                    partial = os.path.join(self.path, _PARTIAL + entry.id)
                    os.rename(os.path.join(self.path, entry.id), partial)
                    shutil.rmtree(partial)
        except OSError as error:
            raise self._failed("pruned", error) from None

    def _make_folder(self) -> None:
        parent = os.path.dirname(self.path)
        if not os.path.isdir(self.path):
            os.makedirs(parent, exist_ok=True)
            os.mkdir(self.path, 0o700)
            sync_folder(parent)
        os.listdir(self.path)  # without privilege, that is what is told
        found = os.lstat(self.path)
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o022:
            raise TransactionError(
                "the journal %s is not a folder of this user that nobody else can write to: see who made it so, "
                "then chown and chmod it (0700)" % self.path
            )

    def _wait_for(self, descriptor: int) -> None:
        deadline = time.time() + self.wait_seconds
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except OSError as error:
                if error.errno not in (errno.EWOULDBLOCK, errno.EINTR):
                    raise self._failed("locked", error) from None
            if time.time() >= deadline:
                raise TransactionError(
                    "another run%s holds the lock %s/%s for more than %g s: nothing was changed, try again after it"
                    % (_holder(descriptor), self.path, _LOCK, self.wait_seconds)
                )
            time.sleep(0.05)
        # who holds it is for people: a disk that is full must not keep an interrupted transaction from being undone
        with suppress(OSError):
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, b"%d\n" % os.getpid(), 0)

    def _remove_partial(self) -> None:
        try:
            for name in os.listdir(self.path):
                if name.startswith(_PARTIAL):
                    shutil.rmtree(os.path.join(self.path, name))
        except OSError as error:
            raise self._failed("pruned", error) from None

    def _failed(self, done: str, error: OSError) -> TransactionError:
        return TransactionError("the journal %s cannot be %s: %s" % (self.path, done, why(error)))


def derive_states(entries: List[Entry]) -> List[Entry]:
    """The entries, those that a committed rollback names as rolled back.

    The commit of the rollback is what counts, one rename for all of them; what their own files say follows it.
    """
    undone_by = {}
    for entry in entries:
        if (entry.kind, entry.state) == ("rollback", "committed"):
            undone_by.update(dict.fromkeys(entry.undoes, entry.id))
    return [
        entry._replace(state="rolled_back", rolled_back_by=undone_by[entry.id]) if entry.id in undone_by else entry
        for entry in entries
    ]


def _holder(descriptor: int) -> str:
    pid = os.pread(descriptor, 20, 0).strip()
    return " (process %s)" % pid.decode("ascii") if pid.isdigit() else ""


def _micro_id(micro: int) -> str:
    return "%s.%06dZ" % (time.strftime(_ID_TIME, time.gmtime(micro // 1000000)), micro % 1000000)


def utc_now() -> str:
    """RFC 3339."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def _as_json(data: entry_format.Data) -> bytes:
    return (json.dumps(data, indent=2) + "\n").encode("ascii")


def _write(path: str, content: bytes) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(path, flags, 0o600)
    try:
        write_all(descriptor, content)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
