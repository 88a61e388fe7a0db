#!/usr/bin/env bash
# Usage: with-keyring.sh COMMAND [ARGUMENT...]
#
# Give COMMAND a session of its own with a real Secret Service in it: a private D-Bus, and gnome-keyring with an empty,
# unlocked keyring. Nothing of the machine's own session is used or touched, nothing is left behind, and any number of
# these may run at once. No display, terminal or login is needed. Debian: dbus-daemon, dbus-bin, gnome-keyring.
#
# The exit status is COMMAND's; 64 means that no command was given, 97 that the service didn't come up in 5 seconds.
# COMMAND finds the daemon's process id in KEYRING_TEST_PID, so that a test can stop (freeze) or kill it.
set -euo pipefail

if (($# == 0)); then
  echo "usage: ${0##*/} COMMAND [ARGUMENT...]" >&2
  exit 64
fi

folder=$(mktemp -d "${TMPDIR:-/tmp}/profilectl-keyring.XXXXXX")
trap 'rm -rf "$folder"' EXIT
mkdir -m 700 "$folder/runtime" "$folder/data" "$folder/cache"

# Standard input is the password, to its last byte: a newline would belong to it, and without a byte there is no keyring.
printf '%s' made-up >"$folder/password"

# Without a display a locked keyring says so at once, where it would open a window and wait.
unset DISPLAY WAYLAND_DISPLAY DBUS_SESSION_BUS_ADDRESS PYTHON_KEYRING_BACKEND
export XDG_RUNTIME_DIR="$folder/runtime" XDG_DATA_HOME="$folder/data" XDG_CACHE_HOME="$folder/cache"
export KEYRING_TEST_PASSWORD="$folder/password"

dbus-run-session -- bash -euc '
  # In the foreground, as our child: one that daemonizes itself may outlive a short command.
  gnome-keyring-daemon --foreground --unlock --components=secrets <"$KEYRING_TEST_PASSWORD" >/dev/null 2>&1 &
  export KEYRING_TEST_PID=$!
  stop() {
    kill -CONT "$KEYRING_TEST_PID" 2>/dev/null || :  # a test may have left it frozen
    kill "$KEYRING_TEST_PID" 2>/dev/null || :
    for ((attempt = 0; attempt < 100; attempt++)); do
      kill -0 "$KEYRING_TEST_PID" 2>/dev/null || break
      sleep 0.05
    done
    kill -KILL "$KEYRING_TEST_PID" 2>/dev/null || :  # one that is only just beginning may have missed the first
    wait "$KEYRING_TEST_PID" 2>/dev/null || :
  }
  trap stop EXIT

  # Ask the bus who owns the name: asking the service itself would start a second, locked daemon.
  is_up() {
    dbus-send --session --reply-timeout=5000 --print-reply=literal --dest=org.freedesktop.DBus /org/freedesktop/DBus \
      org.freedesktop.DBus.NameHasOwner string:org.freedesktop.secrets | grep -q "boolean true"
  }
  for ((attempt = 0; attempt < 100; attempt++)); do
    if is_up; then
      "$@" && exit 0 || exit $?
    fi
    sleep 0.05
  done
  echo "${0##*/}: the Secret Service did not come up" >&2
  exit 97
' "$0" "$@"
