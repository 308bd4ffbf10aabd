/** What one would type in dom0 to do the same: commands of the xenstore tools, quoted for its shell. */

const quote = (word: string): string => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`)

/** xenstore-write understands the escapes that its sisters print. */
const argument = (value: string): string =>
  quote(
    value.replace(/[^ -[\]-~]/g, (byte) =>
      byte === '\\' ? '\\\\' : `\\x${byte.charCodeAt(0).toString(16).padStart(2, '0')}`,
    ),
  )

export const readCommand = (path: string): string => (path === '/' ? 'xenstore-ls' : `xenstore-read ${quote(path)}`)

export function writeCommand(path: string, value: string): string {
  // What begins with a hyphen would be taken for an option.
  const options = value.startsWith('-') ? '-- ' : ''
  return `xenstore-write ${options}${quote(path)} ${argument(value)}`
}

export const removeCommand = (path: string): string => `xenstore-rm ${quote(path)}`

export const chmodCommand = (path: string, permissions: readonly string[]): string =>
  ['xenstore-chmod', quote(path), ...permissions.map(quote)].join(' ')
