#!/bin/sh
# Makes .venv with the locked dependencies and this project. Run by make.
set -eu

PYTHON=${PYTHON:-python3}

fail() {
    echo "error: $*" >&2
    exit 1
}

command -v "$PYTHON" >/dev/null || fail "there is no $PYTHON: install Python 3.11 or newer, or name one: make PYTHON=/path/to/python3"
"$PYTHON" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
    fail "$("$PYTHON" --version) is too old: install Python 3.11 or newer, or name one: make PYTHON=/path/to/python3"
if ! "$PYTHON" -c 'import ensurepip, venv' 2>/dev/null; then
    # Debian keeps these apart from its python3
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        echo "installing python3-venv" >&2
        apt-get update -qq && apt-get install -y -qq --no-install-recommends python3-venv >&2
    else
        fail "$PYTHON lacks the module venv: install it (Debian: apt-get install python3-venv)"
    fi
fi

echo "making .venv with the locked dependencies (once)" >&2
"$PYTHON" -m venv --clear .venv
# The lock is whole, so pip takes it as it is: asked to resolve, it would meet today's releases. Wheels
# only: building a package would resolve what its build needs.
.venv/bin/python -m pip install --quiet --disable-pip-version-check \
    --no-deps --only-binary=:all: --require-hashes --requirement requirements/dev.txt
.venv/bin/python -m pip install --quiet --disable-pip-version-check --no-index --no-deps --no-build-isolation --editable .
.venv/bin/python -m pip --disable-pip-version-check check >&2 ||
    fail "requirements/dev.txt lacks something that a package in it needs: run make lock"
