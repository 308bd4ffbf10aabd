# What the hotplug scripts have in common: a log, a lock, and the store.

exec 2>>/var/log/xen/xen-hotplug.log
PATH=/sbin:/bin:/usr/sbin:/usr/bin:$PATH
LANG=POSIX
export PATH LANG

LOCKS=/var/run/xen-hotplug

log() {
  shift
  echo "$0 $*" >&2
}

# One script at a time has the lock named $1. Whoever holds it for too long, or has died with it, loses it.
claim_lock() {
  # Where the disk is full there are no locks.
  [ -d $LOCKS ] || mkdir -p $LOCKS || return
  tries=0
  until mkdir "$LOCKS/$1" 2>/dev/null; do
    tries=$((tries + 1))
    if [ $tries -gt 300 ]; then
      log err "Forced to steal lock on $LOCKS/$1!"
      break
    fi
    sleep 0.1
  done
}

release_lock() {
  rmdir "$LOCKS/$1" 2>/dev/null
}

# Pairs of a key and its value, all at once.
xenstore_write() {
  log debug "Writing $* to xenstore."
  xenstore-write "$@" || fatal "Writing $* to xenstore failed."
}

# What is at $1; $2 where nothing is.
xenstore_read_default() {
  xenstore-read "$1" 2>/dev/null || echo "$2"
}

# The device cannot be had: xend tells whoever waits for it.
give_up() {
  status=$1
  shift
  [ -n "$held" ] && release_lock "$held"
  xenstore-write "$XENBUS_PATH/hotplug-error" "$*" "$XENBUS_PATH/hotplug-status" "$status"
  log err "$@"
  exit 1
}

fatal() {
  give_up error "$@"
}

ebusy() {
  give_up busy "$@"
}
