# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Running values of the sysctls that TIME-WAIT and ephemeral ports depend on."""

from typing import Dict, List, Tuple, Union

from .errors import KernelReadError, MissingError
from .running import RunningKernel

Value = Union[int, str, None]

#: key in the facts -> file; the namespace of the calling process decides which value a file shows
FILES = {
    name: "/proc/sys/net/ipv4/" + name
    for name in (
        "ip_autobind_reuse", "ip_local_port_range", "ip_local_port_step_width", "ip_local_reserved_ports",
        "ip_unprivileged_port_start", "tcp_child_ehash_entries", "tcp_ehash_entries", "tcp_fin_timeout",
        "tcp_max_orphans", "tcp_max_syn_backlog", "tcp_max_tw_buckets", "tcp_rfc1337", "tcp_timestamps",
        "tcp_tw_recycle", "tcp_tw_reuse", "tcp_tw_reuse_delay", "tcp_tw_timeout",
    )
}
FILES["nf_conntrack_tcp_timeout_time_wait"] = "/proc/sys/net/netfilter/nf_conntrack_tcp_timeout_time_wait"


def read_value(kernel: RunningKernel, path: str) -> Union[int, str]:
    """A number where the kernel shows one, else text with white space folded."""
    text = " ".join(kernel.read_text(path).split())
    try:
        return int(text)
    except ValueError:
        return text


def read_sysctls(kernel: RunningKernel) -> Tuple[Dict[str, Value], List[KernelReadError]]:
    """``(values, problems)``: None for a key that the kernel lacks; problems are the errors of those not readable."""
    values: Dict[str, Value] = {}
    problems = []
    for key, path in sorted(FILES.items()):
        try:
            values[key] = read_value(kernel, path)
        except MissingError:
            values[key] = None
        except KernelReadError as error:
            problems.append(error)
    return values, problems
