/** /etc/shadow: shadow(5). */
import type { Sys } from '#abi/posix/syscalls.ts'
import { md5CryptSteps } from '#lib/md5crypt.ts'
import { OsError } from '../libc/errno.ts'
import type { Passwd } from '../libc/pwd.ts'
import { readFile } from '../libc/stdio.ts'

/** Where the hashes of users lie whose /etc/passwd has an `x`. */
export const SHADOW = '/etc/shadow'

/** The hash of `user`: '' is no password at all, what is no hash (`*`, `!!`) matches nothing. */
export function* passwordHash(user: Passwd): Sys<string> {
  if (user.passwd !== 'x') return user.passwd
  try {
    for (const line of (yield* readFile(SHADOW)).split('\n')) {
      const [name, hash] = line.split(':')
      if (name === user.name) return hash ?? '*'
    }
  } catch (error) {
    if (!(error instanceof OsError)) throw error
  }
  return '*'
}

/** Whether `password` is the one that `hash` was made of. */
export function* passwordFits(password: string, hash: string): Sys<boolean> {
  if (hash === '') return password === ''
  return hash.startsWith('$1$') && (yield* md5CryptSteps(password, hash)) === hash
}

/** The hash of a new password. */
export const hashOf = (password: string, random: Uint8Array): Sys<string> => md5CryptSteps(password, saltOf(random))

const SALT_LETTERS = './0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'

/** `$1$` and eight letters made of random bytes. */
function saltOf(random: Uint8Array): string {
  let salt = '$1$'
  for (const byte of random.subarray(0, 8)) salt += SALT_LETTERS.charAt(byte & 63)
  return salt + '$'
}
