# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Awkward trees of sysctl files. Keys are per network namespace, and no value is a default."""

from __future__ import annotations

import base64

Tree = dict[str, object]

REUSE, FIN, BUCKETS, STAMPS, BACKLOG = (
    f"net.ipv4.{name}"
    for name in ("tcp_tw_reuse", "tcp_fin_timeout", "tcp_max_tw_buckets", "tcp_timestamps", "tcp_max_syn_backlog")
)
RANGE, RESERVED, RFC1337 = "net.ipv4.ip_local_port_range", "net.ipv4.ip_local_reserved_ports", "net.ipv4.tcp_rfc1337"


def raw(data: bytes) -> list[str]:
    return [base64.b64encode(data).decode()]


def link(target: str) -> dict[str, str]:
    return {"link": target}


def etc(*lines: str) -> Tree:
    return {"/etc/sysctl.d/50-one.conf": "".join(line + "\n" for line in lines)}


#: a name for each tree that says what is awkward about it
CASES: dict[str, Tree] = {
    "later name wins over earlier folder": {
        "/etc/sysctl.d/10-a.conf": f"{FIN}=31\n",
        "/usr/lib/sysctl.d/20-b.conf": f"{FIN}=32\n",
        "/run/sysctl.d/15-c.conf": f"{FIN}=33\n",
    },
    "same name in every folder": {
        "/usr/lib/sysctl.d/50-x.conf": f"{FIN}=31\n{BACKLOG}=901\n",
        "/usr/local/lib/sysctl.d/50-x.conf": f"{FIN}=32\n{BUCKETS}=9002\n",
        "/run/sysctl.d/50-x.conf": f"{FIN}=33\n{REUSE}=1\n",
        "/etc/sysctl.d/50-x.conf": f"{FIN}=34\n",
    },
    "same name in run and usr": {
        "/usr/lib/sysctl.d/50-x.conf": f"{FIN}=31\n{BACKLOG}=901\n",
        "/run/sysctl.d/50-x.conf": f"{REUSE}=1\n",
    },
    "folder lib": {"/lib/sysctl.d/50-x.conf": f"{FIN}=31\n", "/usr/lib/sysctl.d/40-y.conf": f"{FIN}=32\n{REUSE}=1\n"},
    "masked by a link to null": {
        "/usr/lib/sysctl.d/50-x.conf": f"{FIN}=31\n",
        "/etc/sysctl.d/50-x.conf": link("/dev/null"),
        "/etc/sysctl.d/60-y.conf": f"{REUSE}=1\n",
    },
    "masked by an empty file": {
        "/usr/lib/sysctl.d/50-x.conf": f"{FIN}=31\n",
        "/etc/sysctl.d/50-x.conf": "",
        "/etc/sysctl.d/60-y.conf": f"{REUSE}=1\n",
    },
    "masked by a broken link": {
        "/usr/lib/sysctl.d/50-x.conf": f"{FIN}=31\n",
        "/etc/sysctl.d/50-x.conf": link("nowhere"),
        "/etc/sysctl.d/60-y.conf": f"{REUSE}=1\n",
    },
    "a folder with the name of a file": {
        "/usr/lib/sysctl.d/50-x.conf": f"{FIN}=31\n",
        "/etc/sysctl.d/50-x.conf": None,
        "/etc/sysctl.d/60-y.conf": f"{REUSE}=1\n",
    },
    "link within the folder": {
        "/etc/sysctl.d/10-x.conf": f"{FIN}=31\n",
        "/etc/sysctl.d/20-y.conf": f"{FIN}=32\n",
        "/etc/sysctl.d/30-z.conf": link("10-x.conf"),
    },
    "link out of the folder, absolute": {
        "/opt/tuning": f"{FIN}=31\n",
        "/etc/sysctl.d/30-z.conf": link("/opt/tuning"),
        "/etc/sysctl.d/20-y.conf": f"{FIN}=32\n",
    },
    "the folder is a link": {
        "/opt/sysctl/10-x.conf": f"{FIN}=31\n",
        "/run/sysctl.d": link("/opt/sysctl"),
        "/etc/sysctl.d/05-y.conf": f"{FIN}=32\n",
    },
    "sysctl.conf alone": {"/etc/sysctl.conf": f"{FIN}=31\n"},
    "sysctl.conf last": {"/etc/sysctl.conf": f"{FIN}=31\n", "/etc/sysctl.d/99-z.conf": f"{FIN}=32\n{REUSE}=1\n"},
    "sysctl.conf also by a link, as in Debian": {
        "/etc/sysctl.conf": f"{FIN}=31\n",
        "/etc/sysctl.d/99-sysctl.conf": link("../sysctl.conf"),
        "/etc/sysctl.d/99-zz.conf": f"{FIN}=32\n",
        "/etc/sysctl.d/98-a.conf": f"{FIN}=33\n",
    },
    "sysctl.conf is a link": {"/opt/mine": f"{FIN}=31\n", "/etc/sysctl.conf": link("/opt/mine")},
    "names without suffix, hidden, upper case, odd": {
        "/etc/sysctl.d/99-x": f"{FIN}=31\n",
        "/etc/sysctl.d/99-x.conf.bak": f"{FIN}=32\n",
        "/etc/sysctl.d/99-x.CONF": f"{FIN}=33\n",
        "/etc/sysctl.d/.hidden.conf": f"{BACKLOG}=901\n",
        "/etc/sysctl.d/.conf": f"{BUCKETS}=9002\n",
        "/etc/sysctl.d/with space.conf": f"{REUSE}=1\n",
        "/etc/sysctl.d/Ümlaut.conf": f"{RFC1337}=1\n",
    },
    "order of upper, lower case, digits and signs": {
        "/etc/sysctl.d/Z.conf": f"{FIN}=31\n",
        "/etc/sysctl.d/a.conf": f"{FIN}=32\n",
        "/etc/sysctl.d/_.conf": f"{FIN}=33\n",
        "/etc/sysctl.d/9.conf": f"{FIN}=34\n",
        "/etc/sysctl.d/10.conf": f"{FIN}=35\n",
        "/etc/sysctl.d/a-b.conf": f"{FIN}=36\n",
    },
    "slashes and dots": etc(
        "net/ipv4/tcp_tw_reuse=1", "/net/ipv4/tcp_fin_timeout=31", "net.ipv4/tcp_rfc1337=1",
        "net//ipv4/tcp_timestamps=2", "net/ipv4.tcp_max_syn_backlog=901", "net/ipv4/./tcp_max_tw_buckets=9002",
    ),
    "two dots in a path": etc("net/ipv4/../ipv4/tcp_fin_timeout=31", f"{REUSE}=1"),
    "doubled and trailing separators": etc("net..ipv4.tcp_tw_reuse=1", "net/ipv4/tcp_fin_timeout/=31", f"{RFC1337}=1"),
    "dash before the key": etc(
        f"-{FIN}=31", f" - {REUSE} = 1", f"--{RFC1337}=1", "-net.ipv4.no_such_key=1", f"-{BACKLOG} = 901"
    ),
    "dash alone takes an earlier line back": etc(f"{FIN}=31", f"-{FIN}", f"{REUSE}=1"),
    "dash alone, and the key after it": etc(f"-{FIN}", f"{FIN}=31"),
    "pattern": etc("net.ipv4.tcp_fin_*=31", "net.ipv4.tcp_max_syn_backlo?=901", "net.ipv4.tcp_tw_[r]euse=1"),
    "pattern with negated and odd sets": etc(
        "net.ipv4.tcp_fin_timeou[!a-s]=31", "net.ipv4.tcp_tw_reus[^a-d]=1", "net.ipv4.tcp_rfc133[]7]=1",
    ),
    "pattern after and before the name": {
        "/etc/sysctl.d/10-a.conf": f"{FIN}=31\nnet.ipv4.tcp_max_syn_*=901\n",
        "/etc/sysctl.d/20-b.conf": f"net.ipv4.tcp_fin_*=32\n{BACKLOG}=902\n",
    },
    "pattern with an exception": etc("net.ipv4.tcp_fin_*=31", f"-{FIN}", f"{REUSE}=1"),
    "exception by a pattern": etc("net.ipv4.tcp_fin_*=31", "-net.ipv4.tcp_fin_t*", f"{REUSE}=1"),
    "exception of the pattern itself": etc("net.ipv4.tcp_fin_*=31", "-net.ipv4.tcp_fin_*", f"{REUSE}=1"),
    "two patterns": etc("net.ipv4.tcp_fin_*=31", "net.ipv4.tcp_f*_timeout=32"),
    "two patterns, the first said again": etc(
        "net.ipv4.tcp_fin_*=31", "net.ipv4.tcp_f*_timeout=32", "net.ipv4.tcp_fin_*=31"
    ),
    "two patterns, the first changed later": etc(
        "net.ipv4.tcp_fin_*=30", "net.ipv4.tcp_f*_timeout=32", "net.ipv4.tcp_fin_*=31"
    ),
    "pattern across folders": etc("net.*.tcp_fin_timeout=31", "net*tcp_tw_reuse=1", "net.ipv4/tcp_rfc*=1"),
    "pattern by slashes": etc("net/ipv4/tcp_fin_*=31", "net/ipv4/tcp_tw_reuse=1", "-net/ipv4/tcp_fin_timeout"),
    "comments": etc(
        "# x", "; y", f"#{FIN}=31", f";{REUSE}=1", f"  # {RFC1337}=1", f"{BACKLOG}=901 # why", f"{BUCKETS}=9002;x",
    ),
    "no continuation": etc(f"{FIN}=\\", "31", f"{REUSE}=1 \\", f"# comment \\\n{BACKLOG}=901"),
    "CRLF": {"/etc/sysctl.d/50-one.conf": raw(f"{FIN}=31\r\n# x\r\n\r\n{REUSE} = 1\r\n".encode())},
    "CR alone": {"/etc/sysctl.d/50-one.conf": raw(f"{FIN}=31\r{REUSE}=1\r{BACKLOG}=901\n{RFC1337}=1\r".encode())},
    "spaces and tabs": {
        "/etc/sysctl.d/50-one.conf": f"  {FIN}   =   31  \n\t{REUSE}\t=\t1\t\n{RANGE} =  20000 \t 30001 \n"
    },
    "vertical tab and form feed": {
        "/etc/sysctl.d/50-one.conf": raw(f"\v{FIN}=31\n{REUSE}\f=1\n{BACKLOG}=\v901\n{RFC1337}=1\f\n".encode())
    },
    "no line end at the end": {"/etc/sysctl.d/50-one.conf": f"{FIN}=31\n{REUSE}=1"},
    "the same key twice in a file": etc(f"{FIN}=31", f"{REUSE}=1", f"{FIN}=32"),
    "empty value": etc(f"{FIN}=31", f"{FIN}=", f"{REUSE}=1", f"{BACKLOG}="),
    "value that the kernel refuses, after a good one": etc(f"{FIN}=31", f"{FIN}=many", f"{REUSE}=1"),
    "no equals sign": etc(FIN, f"{FIN} 31", f"{REUSE}=1"),
    "several equals signs": etc(f"{FIN}==31", f"={REUSE}=1", f"{BACKLOG}=901=902", f"{RFC1337}=1"),
    "no key": etc("=31", " = 31", f"{REUSE}=1"),
    "byte order mark": {"/etc/sysctl.d/50-one.conf": raw(b"\xef\xbb\xbf" + f"{FIN}=31\n{REUSE}=1\n".encode())},
    "NUL": {"/etc/sysctl.d/50-one.conf": raw(f"{FIN}=31\0\n{REUSE}=1\0{BACKLOG}=901\n{RFC1337}=1\n".encode())},
    "not UTF-8": {"/etc/sysctl.d/50-one.conf": raw(b"# caf\xe9\n\xff=1\n" + f"{FIN}=31\n".encode())},
    "long comment": {"/etc/sysctl.d/50-one.conf": "#" + "x" * 70000 + f"\n{FIN}=31\n"},
    "very long line": {"/etc/sysctl.d/50-one.conf": f"{REUSE}=1\n#" + "x" * (1 << 20) + f"\n{FIN}=31\n"},
    "numbers in other bases": etc(f"{FIN}=0x1f", f"{BACKLOG}=01605", f"{BUCKETS}=9002x", f"{REUSE}=08"),
    "several numbers for one": etc(f"{FIN}=31 32", f"{BACKLOG}=901,902"),
    "range of ports": etc(f"{RANGE}=20000\t30001"),
    "range of ports the wrong way round": etc(f"{RANGE}=20000 30001", f"{RANGE}=30001 20000"),
    "three numbers for the range": etc(f"{RANGE}=20000 30001 30002"),
    "reserved ports": etc(f"{RESERVED}=8080,9000-9003,8081"),
    "reserved ports, spaced": etc(f"{RESERVED}=8080", f"{RESERVED}=8080 9000"),
    "reserved ports, cleared": etc(f"{RESERVED}=8080", f"{RESERVED}=", f"{REUSE}=1"),
    "keys of interfaces beside ours": etc(
        "net.ipv4.conf.*.rp_filter=2", "net.ipv4.conf.eth0/100.rp_filter=1", f"{FIN}=31"
    ),
    "braces and tildes": etc("net.ipv4.tcp_{fin_timeout,tw_reuse}=1", "~net.ipv4.tcp_tw_reuse=1", f"{RFC1337}=1"),
    "the whole path": etc("/proc/sys/net/ipv4/tcp_fin_timeout=31", f"{REUSE}=1"),
    "a key that is gone": etc("net.ipv4.tcp_tw_recycle=1", "net.ipv4.tcp_tw_re*=1"),
}


def profile(text: str, name: str = "mine") -> Tree:
    """A profile, in the folder of older versions of TuneD and in that of newer ones."""
    return {f"/etc/tuned/{name}/tuned.conf": text, f"/etc/tuned/profiles/{name}/tuned.conf": text}


def tuned(text: str, settings: str = "", active: str = "mine", **files: str) -> Tree:
    """TuneD that applies a profile and is done; files of sysctl.d by name without suffix."""
    return {
        "/etc/tuned/tuned-main.conf": f"daemon = 0\n{settings}\n",
        "/etc/tuned/active_profile": f"{active}\n",
        "/etc/tuned/profile_mode": "manual\n",
        **profile(text),
        **{f"/etc/sysctl.d/{name}.conf": content for name, content in files.items()},
    }


BOTH = f"[sysctl]\n{FIN}=31\n{REUSE}=1\n"

TUNED_CASES: dict[str, Tree] = {
    "profile alone": tuned(BOTH),
    "the system's files after it": tuned(BOTH, a=f"{FIN}=32\n"),
    "the system's files left alone": tuned(BOTH, "reapply_sysctl = 0", a=f"{FIN}=32\n{BACKLOG}=901\n"),
    "left alone in words": tuned(BOTH, "reapply_sysctl = False # mine", a=f"{FIN}=32\n"),
    "sysctl.conf last": {**tuned(BOTH, a=f"{FIN}=32\n"), "/etc/sysctl.conf": f"{FIN}=33\n"},
    "run before etc": {**tuned(BOTH, a=f"{FIN}=32\n"), "/run/sysctl.d/a.conf": f"{BACKLOG}=901\n"},
    "usr not at all": {**tuned(BOTH), "/usr/lib/sysctl.d/z.conf": f"{FIN}=32\n{BACKLOG}=901\n"},
    "hidden names too": tuned(BOTH, **{".a": f"{FIN}=32\n"}),
    "no patterns": tuned(BOTH, a="net.ipv4.tcp_fin_*=32\nnet.ipv4.tcp_max_syn_*=901\n"),
    "dash before the key": tuned(BOTH, a=f"-{FIN}=32\n-{BACKLOG}\n"),
    "slashes in the system's files": tuned(BOTH, a="net/ipv4/tcp_fin_timeout=32\n"),
    "slashes in the profile": tuned("[sysctl]\nnet/ipv4/tcp_fin_timeout=31\nnet.ipv4.tcp_tw_reuse=1\n"),
    "comments and bad lines in the system's files": tuned(BOTH, a=f"# x\n;y\nz\n=1\n{FIN} = 32 # x\n{BACKLOG}=\n"),
    "comments in the profile": tuned(f"# x\n[sysctl]\n; y\n{FIN} = 31 # z\n{REUSE}=1;2\n#{BACKLOG}=901\n"),
    "CRLF": tuned(BOTH.replace("\n", "\r\n"), a=f"{FIN}=32\r\n"),
    "quoted": tuned(f'[sysctl]\n{FIN}="31"\n{RANGE}="20000 30001"\n'),
    "the same key twice": tuned(f"[sysctl]\n{FIN}=31\n{FIN}=32\n"),
    "key that is gone": tuned(f"[sysctl]\nnet.ipv4.tcp_tw_recycle=1\n{FIN}=31\n"),
    "value that the kernel refuses": tuned(f"[sysctl]\n{FIN}=many\n{REUSE}=1\n"),
    "include": {**tuned(f"[main]\ninclude=base\n[sysctl]\n{FIN}=31\n"),
                **profile(f"[sysctl]\n{FIN}=32\n{REUSE}=1\n", "base")},
    "two includes": {**tuned(f"[main]\ninclude=base, other\n[sysctl]\n{REUSE}=1\n"),
                     **profile(f"[sysctl]\n{FIN}=32\n{BACKLOG}=901\n", "base"),
                     **profile(f"[sysctl]\n{FIN}=33\n", "other")},
    "include that is not there, with a dash": tuned("[main]\ninclude=-base\n" + BOTH),
    "include that is not there": tuned("[main]\ninclude=base\n" + BOTH),
    "replace": {**tuned(f"[main]\ninclude=base\n[sysctl]\nreplace=true\n{FIN}=31\n"),
                **profile(f"[sysctl]\n{FIN}=32\n{REUSE}=1\n", "base")},
    "drop": {**tuned(f"[main]\ninclude=base\n[sysctl]\ndrop={REUSE}\n{FIN}=31\n"),
             **profile(f"[sysctl]\n{FIN}=32\n{REUSE}=1\n", "base")},
    "not enabled": tuned(f"[sysctl]\nenabled=false\n{FIN}=31\n"),
    "section of another name": tuned(f"[mine]\ntype=sysctl\n{FIN}=31\n[sysctl]\n{REUSE}=1\n"),
    "two active profiles": {**tuned(BOTH, active="mine other"), **profile(f"[sysctl]\n{FIN}=32\n", "other")},
    "profile of the package": {**tuned("[main]\ninclude=shipped\n"),
                               "/usr/lib/tuned/shipped/tuned.conf": BOTH,
                               "/usr/lib/tuned/profiles/shipped/tuned.conf": BOTH},
    "etc before the package": {**tuned(BOTH), "/usr/lib/tuned/mine/tuned.conf": f"[sysctl]\n{FIN}=32\n",
                               "/usr/lib/tuned/profiles/mine/tuned.conf": f"[sysctl]\n{FIN}=32\n"},
    "malformed": tuned("[sysctl]\nnonsense\n" + BOTH),
    "variable": tuned(f"[variables]\nx=31\n[sysctl]\n{FIN}=${{x}}\n{REUSE}=1\n"),
    "only where it raises": tuned(f"[sysctl]\n{FIN}=>31\n{REUSE}=1\n"),
}  # fmt: skip


def ufw(text: str, settings: str = "IPT_SYSCTL=/etc/ufw/sysctl.conf", enabled: str = "ENABLED=yes") -> Tree:
    defaults = (
        "IPV6=no\nDEFAULT_INPUT_POLICY=DROP\nDEFAULT_OUTPUT_POLICY=ACCEPT\nDEFAULT_FORWARD_POLICY=DROP\n"
        "DEFAULT_APPLICATION_POLICY=SKIP\nMANAGE_BUILTINS=no\nIPT_MODULES=\n"
    )
    return {
        "/etc/default/ufw": f"{defaults}{settings}\n",
        "/etc/ufw/ufw.conf": f"LOGLEVEL=off\n{enabled}\n",
        "/etc/ufw/sysctl.conf": text,
    }


UFW_CASES: dict[str, Tree] = {
    "its own spelling": ufw("net/ipv4/tcp_fin_timeout=31\nnet/ipv4/tcp_tw_reuse=1\n"),
    "with dots, dashes and patterns": ufw(f"-{FIN}=31\nnet.ipv4.tcp_tw_reus?=1\n"),
    "not the system's files": {**ufw(f"{FIN}=31\n"), "/etc/sysctl.conf": f"{FIN}=32\n{REUSE}=1\n"},
    "not enabled": ufw(f"{FIN}=31\n", enabled="ENABLED=no"),
    "enabled in capitals": ufw(f"{FIN}=31\n", enabled='ENABLED="YES"'),
    "another file": {**ufw(f"{FIN}=31\n", 'IPT_SYSCTL="/etc/mine" # x'), "/etc/mine": f"{FIN}=32\n"},
    "another file, said in ufw.conf": {
        **ufw(f"{FIN}=31\n", enabled="ENABLED=yes\nIPT_SYSCTL=/etc/mine"), "/etc/mine": f"{FIN}=32\n"
    },
    "no file": ufw(f"{FIN}=31\n", "IPT_SYSCTL="),
    "a file that is not there": ufw(f"{FIN}=31\n", "IPT_SYSCTL=/etc/none"),
    "the last one counts": ufw(f"{FIN}=31\n{REUSE}=1\n{FIN}=32\n"),
}
