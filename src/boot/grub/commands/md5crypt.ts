import { md5Crypt } from '#lib/md5crypt.ts'
import { readLine } from '../cmdline.ts'
import type { Command } from './command.ts'

const ENTERED_BYTES = 31
const SALT_CHARACTERS = './0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
const SALT_MAX = 8

export const md5crypt: Command = {
  name: 'md5crypt',
  usage: 'md5crypt',
  help: 'Generate a password in MD5 format.',
  listed: true,
  *run(grub) {
    // The time of day is all the chance that GRUB has.
    let salt = ''
    for (let seed = grub.metal.bios.ticks(); seed !== 0 && salt.length < SALT_MAX; seed >>>= 6)
      salt += SALT_CHARACTERS[seed & 0x3f]
    const entered = yield* readLine(grub, { prompt: 'Password: ', max: ENTERED_BYTES, mask: '*' })
    yield* grub.tty.print(`Encrypted: ${md5Crypt(entered ?? '', `$1$${salt}$`)}\n`)
  },
}
