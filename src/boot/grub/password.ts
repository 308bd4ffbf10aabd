/** Whether what was typed is the password that menu.lst names. */

import { md5Crypt } from '#lib/md5crypt.ts'
import type { Password } from './grub.ts'

export function checkPassword(entered: string, { text, md5 }: Password): boolean {
  return md5 ? md5Crypt(entered, text) === text : entered === text
}
