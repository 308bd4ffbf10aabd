/** /lib/modules/RELEASE: the module files, what modules.dep says, what is loaded, /etc/modprobe.conf. */
import type { Sys } from '#abi/posix/syscalls.ts'
import { listDirectory } from '../../libc/dirent.ts'
import { OsError, strerror } from '../../libc/errno.ts'
import { isDir } from '../../libc/mode.ts'
import { readFile } from '../../libc/stdio.ts'
import { stat, uname } from '../../libc/syscall.ts'

export function* moduleDir(): Sys<string> {
  return `/lib/modules/${(yield* uname()).release}`
}

/** `snd-pcm` and `snd_pcm` are one. */
export const moduleName = (path: string): string =>
  path
    .slice(path.lastIndexOf('/') + 1)
    .replace(/\.ko$/, '')
    .replaceAll('-', '_')

/** All .ko files below `dir`. */
export function* moduleFiles(dir: string): Sys<string[]> {
  const found: string[] = []
  for (const { name } of yield* listDirectory(dir)) {
    if (name === '.' || name === '..' || name === 'build' || name === 'source') continue
    const path = `${dir}/${name}`
    if (isDir((yield* stat(path)).mode)) found.push(...(yield* moduleFiles(path)))
    else if (name.endsWith('.ko')) found.push(path)
  }
  return found.sort()
}

/** Paths by module, each with the paths it needs, nearest first. Fails as opening modules.dep does. */
export function* dependencies(): Sys<Map<string, { path: string; needs: string[] }>> {
  const table = new Map<string, { path: string; needs: string[] }>()
  for (const line of (yield* readFile(`${yield* moduleDir()}/modules.dep`)).split('\n')) {
    const colon = line.indexOf(':')
    if (colon < 0 || line.startsWith('#')) continue
    const path = line.slice(0, colon)
    table.set(moduleName(path), {
      path,
      needs: line
        .slice(colon + 1)
        .trim()
        .split(/\s+/)
        .filter((one) => one !== ''),
    })
  }
  return table
}

export interface Loaded {
  readonly name: string
  readonly size: string
  readonly users: number
  readonly usedBy: readonly string[]
}

/** /proc/modules; undefined where there is none. */
export function* loadedModules(): Sys<Loaded[] | undefined> {
  let text: string
  try {
    text = yield* readFile('/proc/modules')
  } catch (error) {
    if (error instanceof OsError) return undefined
    throw error
  }
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [name = '', size = '0', users = '0', by = '-'] = line.split(' ')
      return { name, size, users: Number(users), usedBy: by === '-' ? [] : by.split(',').filter((one) => one !== '') }
    })
}

/** What the module's record says in its image: modinfo's fields. */
export function moduleInfo(image: string): {
  license: string | undefined
  description: string | undefined
  depends: string[]
} {
  const text = (field: string): string | undefined =>
    new RegExp(`\\b${field}:\\s*(?:'([^'\\n]*)'|"([^"\\n]*)")`)
      .exec(image)
      ?.slice(1)
      .find((part) => part !== undefined)
  const list = /\bdepends:\s*\[([^\]]*)\]/.exec(image)?.[1] ?? ''
  return {
    license: text('license'),
    description: text('description'),
    depends: [...list.matchAll(/['"]([^'"]+)['"]/g)].map((match) => match[1]!),
  }
}

/** `alias`, `options` and `install`-less lines of /etc/modprobe.conf and /etc/modprobe.d. */
export function* configuration(): Sys<{ aliases: Map<string, string>; options: Map<string, string> }> {
  const aliases = new Map<string, string>()
  const options = new Map<string, string>()
  let text = ''
  try {
    text = yield* readFile('/etc/modprobe.conf')
  } catch (error) {
    if (!(error instanceof OsError)) throw error
  }
  for (const line of text.split('\n')) {
    const [word, name, ...rest] = line.trim().split(/\s+/)
    if (name === undefined) continue
    if (word === 'alias' && rest[0] !== undefined) aliases.set(moduleName(name), rest[0])
    else if (word === 'options')
      options.set(moduleName(name), `${options.get(moduleName(name)) ?? ''} ${rest.join(' ')}`.trim())
  }
  return { aliases, options }
}

/** moderror(): why the kernel would not have it. */
export function insertError(errno: number): string {
  switch (errno) {
    case 8:
      return 'Invalid module format'
    case 2:
      return 'Unknown symbol in module, or unknown parameter (see dmesg)'
    case 3:
      return 'Module has wrong symbol version'
    case 22:
      return 'Invalid parameters'
    default:
      return strerror(errno)
  }
}
