#!/bin/sh
# The browser that the report is tested in.
#   browser.sh        sees to it that there is one: what is here, else Debian's, else Playwright's own
#   browser.sh find   prints the path of the one that is here; nothing where only Playwright's own can serve
set -eu
bin=$(dirname "$0")/../.venv/bin

find_browser() {
    if [ "${TSCLUST_CHROMIUM:-}" ]; then
        command -v "$TSCLUST_CHROMIUM" || fail "TSCLUST_CHROMIUM=$TSCLUST_CHROMIUM is not a program: expected a Chromium."
        return
    fi
    for name in chromium chromium-browser google-chrome; do
        path=$(command -v "$name") || continue
        # A snap (on Ubuntu a script that calls one) does not see /tmp, and does not run in a container at all.
        case $(readlink -f "$path") in */snap) continue ;; esac
        if ! grep -qs /snap/bin "$path" && "$path" --version >/dev/null 2>&1; then
            echo "$path"
            return
        fi
    done
}

fail() {
    echo "$1 Install one (Debian: apt-get install chromium) or name it: TSCLUST_CHROMIUM=/path/to/chrome" >&2
    exit 1
}

quietly() { # what a program says counts only when it fails
    log=$(mktemp)
    code=0
    "$@" >"$log" 2>&1 || code=$?
    [ "$code" -eq 0 ] || tail -n 3 "$log" >&2
    rm -f "$log"
    return "$code"
}

apt_works() { [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; }

bring_debians() {
    apt_works && grep -qs '^ID=debian' /etc/os-release || return 1
    export DEBIAN_FRONTEND=noninteractive
    { quietly apt-get -q update && quietly apt-get -qy install --no-install-recommends chromium fonts-dejavu-core; } || return 1
    [ "$(find_browser)" ]
}

bring_playwrights() {
    if apt_works; then deps=--with-deps; else deps=; fi
    quietly "$bin/playwright" install $deps chromium && quietly "$bin/python" -c "
from playwright.sync_api import sync_playwright
with sync_playwright() as playwright:
    playwright.chromium.launch().close()"
}

found=$(find_browser)
if [ "${1:-}" = find ]; then
    echo "$found"
elif [ -z "$found" ]; then
    echo "Bringing a Chromium for the tests"
    bring_debians || bring_playwrights || fail "The report is tested in Chromium, and none could be brought."
fi
