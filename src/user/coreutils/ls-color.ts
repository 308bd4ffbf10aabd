/** ls --color: LS_COLORS, and the defaults of this version. */
import {
  S_IFBLK,
  S_IFCHR,
  S_IFDIR,
  S_IFIFO,
  S_IFLNK,
  S_IFMT,
  S_IFSOCK,
  S_ISGID,
  S_ISUID,
  S_ISVTX,
} from '#abi/posix/stat.ts'

const DEFAULTS: Readonly<Record<string, string>> = {
  lc: '\x1b[',
  rc: 'm',
  no: '0',
  fi: '0',
  di: '01;34',
  ln: '01;36',
  pi: '33',
  so: '01;35',
  bd: '01;33',
  cd: '01;33',
  ex: '01;32',
  do: '01;35',
  su: '37;41',
  sg: '30;43',
  st: '37;44',
  ow: '34;42',
  tw: '30;42',
}

export interface Colors {
  /** The sequence before a name; '' where there is none. */
  before(name: string, mode: number, linkOk: boolean): string
  /** The one behind it. */
  readonly after: string
  /** When all is done. */
  readonly end: string
  /** Whether links have to be followed to know their colour. */
  readonly orphans: boolean
}

/** What $LS_COLORS says, over the defaults. */
export function lsColors(setting: string | undefined): Colors {
  const codes: Record<string, string> = { ...DEFAULTS }
  const suffixes: [string, string][] = []
  for (const entry of (setting ?? '').split(':')) {
    const equals = entry.indexOf('=')
    if (equals < 0) continue
    const [key, value] = [entry.slice(0, equals), entry.slice(equals + 1)]
    if (key.startsWith('*')) suffixes.unshift([key.slice(1), value])
    else codes[key] = value.replace(/\\e/g, '\x1b').replace(/\\_/g, ' ')
  }
  const wrap = (code: string | undefined): string => (code ? `${codes['lc']}${code}${codes['rc']}` : '')
  const kind = (mode: number, linkOk: boolean): string => {
    switch (mode & S_IFMT) {
      case S_IFDIR:
        if ((mode & S_ISVTX) !== 0 && (mode & 0o002) !== 0) return 'tw'
        if ((mode & 0o002) !== 0) return 'ow'
        return (mode & S_ISVTX) !== 0 ? 'st' : 'di'
      case S_IFLNK:
        return !linkOk && codes['or'] ? 'or' : 'ln'
      case S_IFIFO:
        return 'pi'
      case S_IFSOCK:
        return 'so'
      case S_IFBLK:
        return 'bd'
      case S_IFCHR:
        return 'cd'
    }
    if ((mode & S_ISUID) !== 0) return 'su'
    if ((mode & S_ISGID) !== 0) return 'sg'
    return (mode & 0o111) !== 0 ? 'ex' : 'fi'
  }
  return {
    before(name, mode, linkOk) {
      const found = kind(mode, linkOk)
      const bySuffix = found === 'fi' ? suffixes.find(([suffix]) => name.endsWith(suffix)) : undefined
      return wrap(bySuffix ? bySuffix[1] : codes[found])
    },
    after: codes['ec'] ?? wrap(codes['no']),
    end: `${codes['lc']}${codes['rc']}`,
    orphans: codes['or'] !== undefined,
  }
}
