#!/bin/sh
# Bookwake on Debian 12 or newer and on Raspberry Pi OS (64 bit), as a systemd service.
#
#   sudo deploy/install.sh install     install, or repair what is installed
#   sudo deploy/install.sh update      put this version in place of the installed one
#   sudo deploy/install.sh uninstall   remove the program; --purge removes settings and reading data too
#
# Installs from the checkout it lies in, or from a wheel named after install or update, with requirements.lock and
# bookwake.service beside this script. Asks nothing. Every library is checked by its hash.
#
#   /opt/bookwake            the program; releases/NAME is one version, current the one in use
#   /etc/bookwake            settings (bookwake.env)
#   /var/lib/bookwake        reading data; survives update and uninstall
#   /srv/books               the books, unless bookwake.env names another folder; only ever read
set -eu

home=/opt/bookwake
settings=/etc/bookwake/bookwake.env
data=/var/lib/bookwake
unit=/etc/systemd/system/bookwake.service
command=/usr/local/bin/bookwake
here=$(cd "$(dirname "$0")" && pwd)

say() { printf '%s\n' "$*"; }
fail() {
    printf 'install.sh: %s\n' "$*" >&2
    exit 1
}
# No service manager runs in a chroot or a plain container; the service is then set up but not started.
have_systemd() { [ -d /run/systemd/system ]; }

main() {
    action=${1:-}
    case "$action" in
    install | update)
        [ $# -le 2 ] || usage
        [ "$(id -u)" = 0 ] || fail "this needs root; run it with sudo"
        [ "$action" = install ] || [ -e $home/current ] || fail "Bookwake is not installed here; use: $0 install"
        install_release "${2:-}"
        ;;
    uninstall)
        if [ $# -gt 2 ] || [ "${2:---purge}" != --purge ]; then usage; fi
        [ "$(id -u)" = 0 ] || fail "this needs root; run it with sudo"
        uninstall "${2:-}"
        ;;
    *) usage ;;
    esac
}

usage() {
    say "usage: install.sh install [WHEEL] | update [WHEEL] | uninstall [--purge]" >&2
    exit 2
}

install_release() {
    find_source "$1"
    check_machine
    python=$(find_python)
    create_user
    build_release "$python"
    try_release
    write_settings
    switch_release
    say "Bookwake $("$home/current/bin/python" -m appliance --version | cut -d ' ' -f 2) is installed in $home."
    say "Settings: $settings. Reading data: $data. Command: sudo bookwake --help"
    if have_systemd; then
        say "The address, and the set-up code while there is nobody yet: sudo journalctl -u bookwake -n 20"
    else
        say "No systemd runs here, so the service was not started. Start it by hand with: sudo bookwake serve"
    fi
}

# Sets source (what pip installs), lock, build_lock and unit_source.
find_source() {
    source=$1
    if [ -n "$source" ]; then
        [ -f "$source" ] || fail "there is no file $source"
        source=$(cd "$(dirname "$source")" && pwd)/$(basename "$source")
    elif [ -f "$here/../pyproject.toml" ]; then
        source=$(cd "$here/.." && pwd)
    else
        fail "this script lies outside a checkout; name the wheel to install: $0 install bookwake-….whl"
    fi
    lock=$here/requirements.lock
    [ -f "$lock" ] || lock=$here/../requirements.lock
    [ -f "$lock" ] || fail "requirements.lock is missing beside this script; take both from the same release"
    build_lock=$(dirname "$lock")/requirements-build.lock
    unit_source=$here/bookwake.service
    [ -f "$unit_source" ] || fail "bookwake.service is missing beside this script; take both from the same release"
}

check_machine() {
    command -v apt-get >/dev/null || fail "this is no Debian; see docs/install.md for other systems"
    case "$(dpkg --print-architecture)" in
    amd64 | arm64) ;;
    *) fail "Bookwake needs a 64-bit system (amd64 or arm64); for a Raspberry Pi 3 or newer take Raspberry Pi OS (64-bit)" ;;
    esac
}

# Prints the Python to use; installs Debian's when there is none that can make virtual environments.
find_python() {
    python=/usr/bin/python3
    if ! $python -c 'import ensurepip' 2>/dev/null; then
        say "Installing Debian's Python." >&2
        apt-get update -qq >&2
        DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends \
            python3 python3-venv ca-certificates >&2
    fi
    $python -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
        fail "this system's Python is too old; Bookwake needs 3.11, so Debian 12 or newer"
    say $python
}

create_user() {
    id bookwake >/dev/null 2>&1 || useradd --system --user-group --home-dir $data --no-create-home \
        --shell /usr/sbin/nologin bookwake
}

# Builds the new version beside the one in use. Until switch_release nothing that runs is touched.
build_release() {
    release=$home/releases/$(date -u +%Y%m%dT%H%M%SZ)-$$
    mkdir -p $home/releases
    server='' trial=''
    trap give_up EXIT
    trap 'exit 1' HUP INT TERM
    say "Installing into $release. On a Raspberry Pi this takes some minutes."
    "$1" -m venv "$release"
    pip="$release/bin/python -m pip --disable-pip-version-check --quiet --no-cache-dir"
    $pip install --require-hashes -r "$lock"
    if [ -d "$source" ]; then
        # A copy, so that building leaves nothing in the checkout that its owner cannot delete.
        copy=$release/source
        mkdir "$copy"
        (cd "$source" && cp -R pyproject.toml hatch_build.py LICENSE README.md \
            appliance kobo_api koreader_api webreader "$copy")
        [ ! -d "$source/koplugin" ] || cp -R "$source/koplugin" "$copy"
        $pip install --no-deps --build-constraint "$build_lock" "$copy"
        rm -rf "$copy"
    else
        $pip install --no-deps "$source"
    fi
}

give_up() {
    [ -z "$server" ] || kill "$server" 2>/dev/null || true
    rm -rf "$release" "$trial"
}

# Runs the new version with an empty data folder on a spare port before it may take over.
try_release() {
    trial=$(mktemp -d)
    mkdir "$trial/books"
    chown -R bookwake: "$trial"
    port=$("$release/bin/python" -c \
        'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
    (cd "$trial" && exec setpriv --reuid bookwake --regid bookwake --clear-groups "$release/bin/bookwake" serve \
        --data "$trial/data" --books "$trial/books" --host 127.0.0.1 --port "$port" >"$trial/log" 2>&1) &
    server=$!
    healthy=yes
    until_healthy "$release/bin/bookwake" health --data "$trial/data" --host 127.0.0.1 --port "$port" || healthy=no
    kill "$server" 2>/dev/null || true
    wait "$server" 2>/dev/null || true
    server=''
    if [ $healthy = no ]; then
        tail -n 20 "$trial/log" >&2
        fail "the new version does not start on this machine (its last words are above); nothing was changed"
    fi
    rm -rf "$trial"
}

# until_healthy COMMAND…: until it succeeds, for up to 90 seconds; not for longer than the server of the trial lives.
until_healthy() {
    deadline=$(($(date +%s) + 90))
    until "$@" >/dev/null 2>&1; do
        [ "$(date +%s)" -lt $deadline ] || return 1
        [ -z "$server" ] || kill -0 "$server" 2>/dev/null || return 1
        sleep 1
    done
}

write_settings() {
    install -d -m 0755 /etc/bookwake
    install -d -o bookwake -g bookwake -m 0700 $data
    if [ ! -e $settings ]; then
        install -d -m 0755 /srv/books
        (
            umask 027
            cat >$settings <<END
# Settings of Bookwake. After a change: sudo systemctl restart bookwake
BOOKWAKE_DATA=$data
# Folders with books, separated by colons. Bookwake only reads them; the user "bookwake" must be allowed to.
BOOKWAKE_BOOKS=/srv/books
BOOKWAKE_PORT=8080
# What your readers reach this machine by, when it is not http://ADDRESS:PORT (docs/reverse-proxy.md).
#BOOKWAKE_PUBLIC_URL=https://books.example.org
END
        )
        chgrp bookwake $settings
    fi
    cat >$command.new <<END
#!/bin/sh
# Runs Bookwake's command line as its own user and with its settings.
[ "\$(id -u)" = 0 ] || exec sudo "\$0" "\$@"
set -a
. $settings
cd $data
exec setpriv --reuid bookwake --regid bookwake --init-groups $home/current/bin/bookwake "\$@"
END
    chmod 0755 $command.new
    mv $command.new $command
}

# Makes the new version the one in use. When it does not come up with the real data, the old one is put back, with the
# data as it was before.
switch_release() {
    old=$(readlink $home/current || true)
    if have_systemd; then systemctl stop bookwake 2>/dev/null || true; fi
    trap 'roll_back; exit 1' EXIT
    [ -z "$old" ] || keep_database
    if [ -e $unit ]; then cp $unit $home/bookwake.service.before; fi
    point_to "$release"
    install -m 0644 "$unit_source" $unit
    if have_systemd; then
        systemctl daemon-reload
        systemctl enable --quiet bookwake
        systemctl start bookwake
        # The command reads the settings, so it asks where the service listens.
        until_healthy $command health || exit 1
    fi
    trap - EXIT
    rm -rf $data/before-update $home/bookwake.service.before
    for other in "$home"/releases/*; do
        [ "$other" = "$release" ] || rm -rf "$other"
    done
}

point_to() {
    ln -sfn "$1" $home/current.new
    mv -T $home/current.new $home/current
}

# With SQLite, a version that has changed the tables cannot be gone back from without the file of before.
keep_database() {
    rm -rf $data/before-update
    install -d -o bookwake -g bookwake -m 0700 $data/before-update
    for file in $data/bookwake.sqlite3 $data/bookwake.sqlite3-wal; do
        [ ! -e "$file" ] || cp -p "$file" $data/before-update
    done
}

roll_back() {
    trap - EXIT
    printf 'install.sh: the new version did not come up; its log: journalctl -u bookwake\n' >&2
    if have_systemd; then systemctl stop bookwake 2>/dev/null || true; fi
    if [ -z "$old" ]; then
        if have_systemd; then systemctl disable --quiet bookwake 2>/dev/null || true; fi
        rm -rf $unit $home/current "$release"
        return
    fi
    if [ -e $data/before-update/bookwake.sqlite3 ]; then
        rm -f $data/bookwake.sqlite3 $data/bookwake.sqlite3-wal $data/bookwake.sqlite3-shm
        cp -p $data/before-update/bookwake.sqlite3* $data
    fi
    point_to "$old"
    [ ! -e $home/bookwake.service.before ] || mv $home/bookwake.service.before $unit
    rm -rf "$release" $data/before-update
    if have_systemd; then
        systemctl daemon-reload
        systemctl start bookwake
        until_healthy $command health || fail "the version of before was put back, but does not answer either"
    fi
    say "The version of before runs again, with the data of before." >&2
}

uninstall() {
    if have_systemd; then systemctl disable --now --quiet bookwake 2>/dev/null || true; fi
    rm -f $unit $command
    rm -rf $home
    if have_systemd; then systemctl daemon-reload; fi
    if [ "$1" = --purge ]; then
        rm -rf /etc/bookwake $data
        ! id bookwake >/dev/null 2>&1 || userdel bookwake
        say "Bookwake, its settings and its reading data are removed. Your books are where they were."
    else
        say "Bookwake is removed. Settings (/etc/bookwake) and reading data ($data) are kept; --purge removes them too."
    fi
}

main "$@"
