# Sourced by the scripts one folder up, which have set `root`: makes sure that `.venv` is there and fits the pins.
# Nothing here writes to standard output: it belongs to the command that follows.

# Whether `.venv` was finished from these very files ($@). Two or three comparisons of small files, no Python.
fits() {
    [ -x "$root/.venv/bin/python" ] && [ -f "$root/.venv/selects/root" ] || return 1
    IFS= read -r made_at <"$root/.venv/selects/root" || return 1
    [ "$made_at" = "$root" ] || return 1
    for file in "$@"; do
        cmp -s "$root/$file" "$root/.venv/selects/$file" || return 1
    done
}

# Set `python` to an interpreter that can make the environment, or say what is missing and exit.
find_python() {
    python='' bare=''
    for name in python3.11 python3.12 python3.13 python3 python; do
        "$name" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' >/dev/null 2>&1 || continue
        if "$name" -c 'import ensurepip, venv' >/dev/null 2>&1; then
            python=$name
            return
        fi
        bare=${bare:-$name}
    done
    if command -v uv >/dev/null 2>&1; then
        python=${bare:-$(uv python find '>=3.11,<3.14' 2>/dev/null || true)}
        [ -z "$python" ] || return 0
    fi
    if [ -n "$bare" ]; then
        echo "selects: $bare cannot make a virtual environment, its venv module is not complete;" \
            "install it (Debian and Ubuntu: apt install python3-venv) and call again." >&2
    else
        echo "selects: no Python 3.11, 3.12 or 3.13 was found; install one of them" \
            "(Debian and Ubuntu: apt install python3 python3-venv; with uv: uv python install 3.11) and call again." >&2
    fi
    exit 1
}

# set_up [--dev]: return at once if `.venv` fits, else make or renew it.
set_up() {
    if [ "${1-}" = --dev ]; then
        fits requirements.txt pyproject.toml requirements-dev.txt requirements-tools.txt && return
    else
        fits requirements.txt pyproject.toml && return
    fi
    find_python
    "$python" -I "$root/scripts/lib/setup.py" "$@" >&2 || exit $?
}
