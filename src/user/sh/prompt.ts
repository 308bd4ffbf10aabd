/** PS1 and PS2: parameters expanded, and bash's backslash escapes (bash(1), PROMPTING). */
import { CLOCK_REALTIME, type Sys } from '#abi/posix/syscalls.ts'
import { getpwuid } from '../libc/pwd.ts'
import { clock_gettime, geteuid, uname } from '../libc/syscall.ts'
import { strftime } from '../libc/time.ts'
import { ShellError } from './errors.ts'
import { Parser } from './parser.ts'
import type { Shell } from './shell.ts'
import { expander } from './substitution.ts'

export function* prompt(sh: Shell, name: 'PS1' | 'PS2'): Sys<string> {
  const text = sh.get(name) ?? ''
  const escaped = sh.bash ? yield* escapes(sh, text) : text
  if (!/[$`]/.test(escaped)) return escaped
  try {
    return yield* expander.string(sh, Parser.document(escaped, sh.bash))
  } catch (error) {
    if (!(error instanceof ShellError)) throw error
    return escaped
  }
}

function* escapes(sh: Shell, text: string): Sys<string> {
  if (!text.includes('\\')) return text
  const home = sh.get('HOME')
  const tilde =
    home && home !== '/' && (sh.cwd === home || sh.cwd.startsWith(`${home}/`))
      ? `~${sh.cwd.slice(home.length)}`
      : sh.cwd
  let out = ''
  for (let i = 0; i < text.length; i++) {
    if (text[i] !== '\\') {
      out += text[i]
      continue
    }
    const c = text[++i]
    switch (c) {
      case 'u':
        out += (yield* getpwuid(yield* geteuid()))?.name ?? 'I have no name!'
        break
      case 'h':
        out += (yield* uname()).nodename.split('.')[0]
        break
      case 'H':
        out += (yield* uname()).nodename
        break
      case 'w':
        out += tilde
        break
      case 'W':
        out += tilde === '~' || tilde === '/' ? tilde : tilde.slice(tilde.lastIndexOf('/') + 1)
        break
      case '$':
        out += (yield* geteuid()) === 0 ? '#' : '\\$'
        break
      case 't':
      case 'A':
      case 'd':
        out += strftime(
          c === 't' ? '%H:%M:%S' : c === 'A' ? '%H:%M' : '%a %b %d',
          (yield* clock_gettime(CLOCK_REALTIME))[0],
        )
        break
      case '!':
        out += String(sh.history.length + 1)
        break
      case '#':
        out += String(sh.history.length + 1)
        break
      case 's':
        out += 'bash'
        break
      case 'v':
        out += '3.2'
        break
      case 'j':
        out += String(sh.jobs.list.length)
        break
      case 'n':
        out += '\n'
        break
      case 'r':
        out += '\r'
        break
      case 'a':
        out += '\x07'
        break
      case 'e':
        out += '\x1b'
        break
      case '[':
        out += '\x01'
        break
      case ']':
        out += '\x02'
        break
      case '\\':
        out += '\\\\'
        break
      default:
        if (c !== undefined && /[0-7]/.test(c)) {
          const octal = /^[0-7]{1,3}/.exec(text.slice(i))![0]
          out += String.fromCharCode(Number.parseInt(octal, 8) & 255)
          i += octal.length - 1
        } else out += `\\${c ?? ''}`
    }
  }
  return out
}
