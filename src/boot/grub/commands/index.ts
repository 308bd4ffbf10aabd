/** GRUB's commands, sorted. A new one needs its file, its row here and its place in abi/pc/menu-lst.ts. */
import { blocklist } from './blocklist.ts'
import { boot } from './boot.ts'
import { cat } from './cat.ts'
import { chainloader } from './chainloader.ts'
import { clear } from './clear.ts'
import { cmp } from './cmp.ts'
import { color } from './color.ts'
import type { Command } from './command.ts'
import { configfile } from './configfile.ts'
import { debug } from './debug.ts'
import { displaymem } from './displaymem.ts'
import { find } from './find.ts'
import { geometry } from './geometry.ts'
import { halt } from './halt.ts'
import { help } from './help.ts'
import { initrd } from './initrd.ts'
import { kernel } from './kernel.ts'
import { lock } from './lock.ts'
import { makeactive } from './makeactive.ts'
import { md5crypt } from './md5crypt.ts'
import { menuOnly } from './menu-only.ts'
import { module, modulenounzip } from './module.ts'
import { pager } from './pager.ts'
import { password } from './password.ts'
import { pause } from './pause.ts'
import { read } from './read.ts'
import { reboot } from './reboot.ts'
import { root, rootnoverify } from './root.ts'
import { savedefault } from './savedefault.ts'
import { serial } from './serial.ts'
import { terminal } from './terminal.ts'
import { uppermem } from './uppermem.ts'

export const COMMANDS: readonly Command[] = [
  blocklist,
  boot,
  cat,
  chainloader,
  clear,
  cmp,
  color,
  configfile,
  debug,
  displaymem,
  find,
  geometry,
  halt,
  help,
  initrd,
  kernel,
  lock,
  makeactive,
  md5crypt,
  module,
  modulenounzip,
  pager,
  password,
  pause,
  read,
  reboot,
  root,
  rootnoverify,
  savedefault,
  serial,
  terminal,
  uppermem,
  ...menuOnly,
]
