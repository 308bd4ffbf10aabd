/** Whether what was typed is the password that menu.lst names. */
import type { Password } from './grub.ts'
import { md5Crypt } from './md5crypt.ts'

export function checkPassword(entered: string, { text, md5 }: Password): boolean {
  return md5 ? md5Crypt(entered, text) === text : entered === text
}
