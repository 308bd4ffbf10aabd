/** What `-o` says: flags of mount(2), what is mount's own, and the rest, which is the file system's. */
import {
  MS_BIND,
  MS_NOATIME,
  MS_NODEV,
  MS_NOEXEC,
  MS_NOSUID,
  MS_RDONLY,
  MS_REMOUNT,
  MS_SYNCHRONOUS,
} from '#abi/posix/mount.ts'

interface Meaning {
  readonly set?: number
  readonly clear?: number
}

const FLAGS: Readonly<Record<string, Meaning>> = {
  defaults: {},
  ro: { set: MS_RDONLY },
  rw: { clear: MS_RDONLY },
  exec: { clear: MS_NOEXEC },
  noexec: { set: MS_NOEXEC },
  suid: { clear: MS_NOSUID },
  nosuid: { set: MS_NOSUID },
  dev: { clear: MS_NODEV },
  nodev: { set: MS_NODEV },
  sync: { set: MS_SYNCHRONOUS },
  async: { clear: MS_SYNCHRONOUS },
  atime: { clear: MS_NOATIME },
  noatime: { set: MS_NOATIME },
  remount: { set: MS_REMOUNT },
  bind: { set: MS_BIND },
  auto: {},
  noauto: {},
  _netdev: {},
  user: { set: MS_NOEXEC | MS_NOSUID | MS_NODEV },
  users: { set: MS_NOEXEC | MS_NOSUID | MS_NODEV },
  nouser: {},
  owner: { set: MS_NOSUID | MS_NODEV },
  group: { set: MS_NOSUID | MS_NODEV },
}
/** Words that stay in mtab though they are no flags. */
const KEPT = ['_netdev', 'user', 'users', 'owner', 'group', 'noauto']

export interface MountOptions {
  readonly flags: number
  /** For the file system. */
  readonly data: string
  /** `loop` or `loop=DEVICE`. */
  readonly loop: string | undefined
  /** As mtab shows them. */
  readonly text: string
  readonly words: readonly string[]
}

export function parseOptions(text: string): MountOptions {
  let flags = 0
  let loop: string | undefined
  const extra: string[] = []
  const kept: string[] = []
  const words = text.split(',').filter((word) => word !== '')
  for (const word of words) {
    const meaning = FLAGS[word]
    if (meaning) {
      flags = (flags | (meaning.set ?? 0)) & ~(meaning.clear ?? 0)
      if (KEPT.includes(word)) kept.push(word)
    } else if (word === 'loop' || word.startsWith('loop=')) loop = word.slice(5)
    else extra.push(word)
  }
  return { flags, data: extra.join(','), loop, words, text: optionText(flags, [...kept, ...extra]) }
}

/** fix_opts_string(): `rw` or `ro`, the flags, the rest. */
export function optionText(flags: number, extra: readonly string[]): string {
  const words = [flags & MS_RDONLY ? 'ro' : 'rw']
  if (flags & MS_NOEXEC) words.push('noexec')
  if (flags & MS_NOSUID) words.push('nosuid')
  if (flags & MS_NODEV) words.push('nodev')
  if (flags & MS_SYNCHRONOUS) words.push('sync')
  if (flags & MS_NOATIME) words.push('noatime')
  if (flags & MS_BIND) words.push('bind')
  return [...words, ...extra].join(',')
}
