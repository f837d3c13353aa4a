#!/usr/bin/env bash
# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Make .venv and install into it.
# usage: setup_venv.sh REQUIREMENTS_FILE...

set -eu
cd "$(dirname "$0")/.."

# The collection root that .venv/bin/ansible-playbook and pytest look into.
tools/link_collection.sh

say() { printf '%s\n' "$*" >&2; }

# The first Python that ansible-core 2.16 and later runs on. The distribution's own comes first: it is built to be fast,
# where those of version managers mostly are not, and are slower by a fifth. One that can make a virtual environment
# comes before one that needs a package for that.
find_python() {
    local candidate found='' candidates=(/usr/bin/python3 python3 python3.13 python3.12 python3.11 python3.10)
    [ -z "${PYTHON:-}" ] || candidates=("$PYTHON")
    for candidate in "${candidates[@]}"; do
        if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 10))' 2> /dev/null; then
            found=${found:-$(command -v "$candidate")}
            if "$candidate" -c 'import venv, ensurepip' 2> /dev/null; then
                command -v "$candidate"
                return
            fi
        fi
    done
    if [ -n "$found" ]; then
        printf '%s\n' "$found"
        return
    fi
    say "setup: no Python >= 3.10 among ${candidates[*]}: install one, or name it: make setup PYTHON=/path/to/python3.12"
    return 1
}

# Debian and Ubuntu ship Python without the parts that make a virtual
# environment; the version is in the package's name.
install_venv_package() {
    local package
    package=$("$1" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')
    if [ "$(id -u)" != 0 ] || ! command -v apt-get > /dev/null; then
        say "setup: $1 cannot make a virtual environment. Run: sudo apt-get install $package"
        return 1
    fi
    say "setup: installing $package"
    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$package" > /dev/null
}

if ! .venv/bin/python -m pip --version > /dev/null 2>&1; then
    python=$(find_python)
    "$python" -c 'import venv, ensurepip' 2> /dev/null || install_venv_package "$python"
    say "setup: making .venv with $("$python" --version)"
    rm -rf .venv
    "$python" -m venv .venv
fi

arguments=()
for requirements in "$@"; do
    arguments+=(-r "$requirements")
done
say "setup: installing $* into .venv"
if ! .venv/bin/python -m pip install -qq --retries 1 --disable-pip-version-check "${arguments[@]}"; then
    say "setup: pip could not install $* (see above). Without a network, run make setup once where there is one."
    exit 1
fi
