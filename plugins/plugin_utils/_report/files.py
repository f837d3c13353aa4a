# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files of a report: all of them replaced, or none."""

from __future__ import annotations

import contextlib
import os
from types import TracebackType
from typing import TextIO


class ReportError(Exception):
    """The report could not be written: one sentence."""


class Files:
    """Files of a directory, written beside their names and renamed together at the end."""

    def __init__(self, directory: str) -> None:
        self._directory = directory
        self._open: dict[str, tuple[str, TextIO]] = {}

    def __enter__(self) -> Files:
        try:
            os.makedirs(self._directory, exist_ok=True)
        except OSError as exc:
            raise self._error(exc) from exc
        return self

    def open(self, name: str) -> TextIO:
        temporary = os.path.join(self._directory, f".{name}.{os.getpid()}.new")
        try:
            # Not tempfile: its mode of 0600 would hide the report from those that umask lets read it.
            out = open(temporary, "w", encoding="utf-8", errors="backslashreplace", newline="\n")  # noqa: SIM115
        except OSError as exc:
            raise self._error(exc) from exc
        self._open[name] = (temporary, out)
        return out

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                for _temporary, out in self._open.values():
                    out.flush()
                    os.fsync(out.fileno())
                    out.close()
                for name, (temporary, _closed) in self._open.items():
                    os.replace(temporary, os.path.join(self._directory, name))
        except OSError as failure:
            raise self._error(failure) from failure
        finally:
            for temporary, out in self._open.values():
                with contextlib.suppress(OSError):
                    out.close()
                with contextlib.suppress(OSError):
                    os.unlink(temporary)
        if isinstance(exc, OSError):
            raise self._error(exc) from exc

    def _error(self, exc: OSError) -> ReportError:
        return ReportError(
            f"The report cannot be written to {self._directory}: {exc.strerror or exc}. "
            "Choose another directory with timewait_report_dir, or make room there; a former report is left as it was."
        )
