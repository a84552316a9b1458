#!/bin/sh
# The browsers that the report is tested in: Chromium and Firefox.
#   browser.sh           sees to it that they are there: what is here, else Debian's, else Playwright's own
#   browser.sh find NAME prints the path of the `chromium` or `firefox` that is here; nothing where only Playwright's can serve
set -eu
bin=$(dirname "$0")/../.venv/bin

find_browser() {
    case $1 in
        chromium) named=${TSCLUST_CHROMIUM:-} names="chromium chromium-browser google-chrome" ;;
        firefox) named=${TSCLUST_FIREFOX:-} names="firefox-esr firefox" ;;
    esac
    if [ "$named" ]; then
        command -v "$named" || fail "$1: $named is not a program." "$1"
        return
    fi
    for name in $names; do
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
    variable=$(echo "TSCLUST_$2" | tr '[:lower:]' '[:upper:]')
    echo "$1 Install one (Debian: apt-get install chromium firefox-esr) or name it: $variable=/path/to/it" >&2
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
    case $1 in chromium) package=chromium ;; firefox) package=firefox-esr ;; esac
    export DEBIAN_FRONTEND=noninteractive
    { quietly apt-get -q update && quietly apt-get -qy install --no-install-recommends $package fonts-dejavu-core; } || return 1
    [ "$(find_browser "$1")" ]
}

bring_playwrights() {
    if apt_works; then deps=--with-deps; else deps=; fi
    quietly "$bin/playwright" install $deps "$1" && quietly "$bin/python" -c "
from playwright.sync_api import sync_playwright
with sync_playwright() as playwright:
    playwright.$1.launch().close()"
}

if [ "${1:-}" = find ]; then
    find_browser "$2"
    exit
fi
for browser in chromium firefox; do
    found=$(find_browser "$browser")
    if [ -z "$found" ]; then
        echo "Bringing $browser for the tests"
        bring_debians "$browser" || bring_playwrights "$browser" || fail "The report is tested in $browser, and none could be brought." "$browser"
    fi
done
