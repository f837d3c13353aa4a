# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Programs that answer from a table, for hosts whose firewall a test does not have."""

from ansible_collections.tcpops.timewait.plugins.module_utils._programs import Programs, Seen


class FakePrograms(Programs):
    """``answers``: by command line, the output, or a status with what is said of it.

    A program of which no line begins is not installed; a line that is missing fails.
    """

    def __init__(self, answers):
        self.answers = answers
        self.asked = []

    def find(self, name):
        return "/usr/sbin/" + name if any(line.split()[0] == name for line in self.answers) else None

    def look(self, name, *arguments):
        if self.find(name) is None:
            return None
        line = " ".join([name, *arguments])
        self.asked.append(line)
        answer = self.answers.get(line, 1)
        if isinstance(answer, str):
            return Seen(0, answer, "")
        return Seen(answer, "", "%s failed with status %d" % (line, answer))
