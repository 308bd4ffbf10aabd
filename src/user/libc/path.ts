/** Paths as byte strings: basename(1) and dirname(1) after POSIX's rules. */

/** Trailing slashes off; `/` stays. */
export function stripSlashes(path: string): string {
  let end = path.length
  while (end > 1 && path[end - 1] === '/') end--
  return path.slice(0, end)
}

/** The last component; trailing slashes do not count. */
export function basename(path: string): string {
  const bare = stripSlashes(path)
  return /^\/+$/.test(bare) ? '/' : bare.slice(bare.lastIndexOf('/') + 1)
}

/** What is before the last component; `.` where there is nothing. */
export function dirname(path: string): string {
  const bare = stripSlashes(path)
  const slash = bare.lastIndexOf('/')
  if (slash < 0) return '.'
  return stripSlashes(bare.slice(0, slash + 1))
}

/** `name` in `dir`, with one slash between. */
export const join = (dir: string, name: string): string => (dir.endsWith('/') ? dir + name : `${dir}/${name}`)

/** `.` and `..` resolved in an absolute path, by text alone. */
export function normalize(path: string): string {
  const parts: string[] = []
  for (const part of path.split('/')) {
    if (part === '..') parts.pop()
    else if (part !== '' && part !== '.') parts.push(part)
  }
  return `/${parts.join('/')}`
}
