# shellcheck shell=bash
# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# What machines need that are not quite like others. To be sourced; each quirk
# tests for itself whether it applies, so that nothing changes elsewhere.

quirks_root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
quirks_cache=$quirks_root/.cache/quirks
mkdir -p "$quirks_cache"

# git: a checkout of another user, as in a container that mounts one, is refused.
if ! git -C "$quirks_root" ls-files > /dev/null 2>&1; then
    export GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=safe.directory GIT_CONFIG_VALUE_0=$quirks_root
fi

# podman: crun, where it is the default, wants cgroup v2 for a systemd container;
# and podman asks for more open files and processes than a limited machine grants.
if [ "$(stat -f -c %T /sys/fs/cgroup)" != cgroup2fs ] && command -v runc > /dev/null; then
    # Below the hard limit, not at it: the runtime's own may be lower than ours.
    limit() { [ "$1" = unlimited ] || [ "$1" -gt "$2" ] && echo "$2" || echo "$1"; }
    files=$(limit "$(ulimit -Hn)" 20000)
    processes=$(limit "$(ulimit -Hu)" 30000)
    cat > "$quirks_cache/containers.conf" << CONF
[containers]
default_ulimits = ["nofile=$files:$files", "nproc=$processes:$processes"]
[engine]
runtime = "runc"
[network]
network_backend = "netavark"
CONF
    export CONTAINERS_CONF=$quirks_cache/containers.conf
fi

# pip: a HOME of our own must not hide the settings of the user's.
if [ -z "${PIP_CONFIG_FILE:-}" ] && [ -f "${XDG_CONFIG_HOME:-$HOME/.config}/pip/pip.conf" ]; then
    export PIP_CONFIG_FILE=${XDG_CONFIG_HOME:-$HOME/.config}/pip/pip.conf
fi

# pyenv: its shims answer to "python3.8" and then fail, and tools that look for
# Pythons believe them. The real ones go to the end of PATH, the shims away.
if [ -d "${PYENV_ROOT:-$HOME/.pyenv}/versions" ]; then
    pyenv_root=${PYENV_ROOT:-$HOME/.pyenv}
    PATH=$(printf '%s' "$PATH" | tr ':' '\n' | grep -v -x -F "$pyenv_root/shims" | paste -s -d :)
    for pyenv_bin in "$pyenv_root"/versions/*/bin; do
        case ":$PATH:" in
            *":$pyenv_bin:"*) ;;
            *) PATH=$PATH:$pyenv_bin ;;
        esac
    done
    export PATH
fi

# ansible-test: it downloads a pip to put into its virtual environments, where
# Python's own ensurepip will do, offline too. This is what its cache may hold.
quirks_ansible_test_home=$quirks_cache/home
for infrastructure in "$quirks_root"/.venv/lib/python3.*/site-packages/ansible_test/_internal/python_requirements.py; do
    pip_version=$(sed -n "s/^ *pip='\([0-9.]*\)',/\1/p" "$infrastructure" 2> /dev/null | tail -n 1)
    mkdir -p "$quirks_ansible_test_home/.ansible/test/cache"
    cat > "$quirks_ansible_test_home/.ansible/test/cache/get_pip_${pip_version//./_}.py" << 'PYTHON'
import subprocess
import sys

subprocess.check_call([sys.executable, "-m", "ensurepip"], stdout=subprocess.DEVNULL)
pins = [argument for argument in sys.argv[1:] if argument.startswith("pip==")]
subprocess.check_call([sys.executable, "-m", "pip", "install", "-q", "--disable-pip-version-check", *pins])
PYTHON
done
