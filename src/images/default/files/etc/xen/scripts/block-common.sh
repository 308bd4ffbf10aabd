# Disks: which device one is, and who has it.

# r: read-only, w: read-write, !: whoever else has it.
canonicalise_mode() {
  case $1 in
    *w*!* | *!*w*) echo ! ;;
    *w*) echo w ;;
    *) echo r ;;
  esac
}

# Numbers of a device, in hex.
device_major_minor() {
  stat -L -c %t:%T "$1"
}

# Numbers of the device that the root is on, which mounts may call /dev/root.
root_major_minor() {
  dev=$((0x$(stat -c %D /)))
  printf '%x:%x\n' $((dev >> 8)) $((dev & 255))
}

# The guest that has this back end's device is the one that ours is for: it is being started anew, and the old device is about to go.
# Where it is gone already, nobody can tell.
same_vm() {
  [ "$(xenstore_read_default "/local/domain/$1/vm" "$frontend_vm")" = "$frontend_vm" ]
}

# Which of the disks $@ (their back ends in the store) are for writing.
written() {
  keys=
  for disk; do keys="$keys $disk/mode"; done
  { xenstore-read -p $keys 2>/dev/null ||
    for key in $keys; do echo "$key: $(xenstore_read_default "$key" r)"; done; } |
    while read -r key mode; do
      case $mode in
        *!*) ;;
        *w*) echo "${key%/mode:}" ;;
      esac
    done
}

# Who has device $1 in a way that does not go with mode $2: local (mounted here), guest, or ok.
check_sharing() {
  numbers=$(device_major_minor "$1")
  while read -r what where type options rest; do
    if [ "$2" = r ]; then
      case $options in ro | ro,*) continue ;; esac
    fi
    case $what in
      /dev/root) other=$(root_major_minor) ;;
      /*) [ -b "$what" ] || continue
        other=$(device_major_minor "$what") ;;
      *) continue ;;
    esac
    if [ "$other" = "$numbers" ]; then
      echo local
      return
    fi
  done </proc/mounts
  base=$XENBUS_BASE_PATH/$XENBUS_TYPE
  # Programs take long to start: one lists the disks, one reads their modes. It fails where somebody comes or goes meanwhile; then each is asked.
  doms=
  for dom in $(xenstore-list "$base" 2>/dev/null); do doms="$doms $base/$dom"; done
  disks=$(xenstore-list -p $doms 2>/dev/null || for dom in $doms; do xenstore-list -p "$dom" 2>/dev/null; done)
  [ "$2" = r ] && disks=$(written $disks)
  for disk in $disks; do
    [ "$(xenstore_read_default "$disk/physical-device" '')" = "$numbers" ] || continue
    dom=${disk%/*}
    same_vm "${dom##*/}" && continue
    echo guest
    return
  done
  echo ok
}

# Refuses where check_sharing of device $1 in mode $2 says so; $3 begins the sentence.
check_device_sharing() {
  case $(check_sharing "$1" "$2") in
    ok) return ;;
    guest)
      whose='a guest'
      when=now ;;
    *)
      whose='the privileged'
      when='by a guest' ;;
  esac
  if [ "$2" = w ]; then
    ebusy "$3in $whose domain,
and so cannot be mounted $when."
  else
    ebusy "$3read-write in $whose domain,
and so cannot be mounted read-only $when."
  fi
}
