/** All that stage2 keeps while it runs: the global variables of GRUB's shared.h, in one place and made afresh at each start. */
import type { Metal } from '#abi/pc/metal.ts'
import type { Command } from './commands/command.ts'
import type { Device } from './disk/device.ts'
import type { Disks } from './disk/disks.ts'
import { type OpenFile, openFile } from './disk/file.ts'
import type { Loaded } from './loader/loaded.ts'
import type { MemoryInfo } from './loader/memory.ts'
import type { Tty } from './terminal/tty.ts'

export interface Password {
  readonly text: string
  readonly md5: boolean
  /** Another menu file to go to once it was given. */
  readonly file: string
}

export interface Grub {
  readonly metal: Metal
  readonly tty: Tty
  readonly disks: Disks
  readonly memory: MemoryInfo
  readonly commands: readonly Command[]
  /** `0.97`, from stage2's own header. */
  readonly version: string
  /** Where stage2 came from: root at the start of each entry and of the command line. */
  readonly home: Device
  /** First free byte behind stage2 in low memory: the multiboot information goes there. */
  readonly codeEnd: number
  configFile: string
  /** Changed by `root`. */
  root: Device
  loaded: Loaded
  password: Password | undefined
  /** The password was given. */
  authorised: boolean
  /** The entry that is being booted. */
  currentEntry: number
  /** Entries still to try when this one fails; undefined: ask a person. */
  fallback: readonly number[] | undefined
  /** All fallback entries of the menu. */
  fallbackEntries: readonly number[]
  /** Seconds left; undefined: no countdown. */
  timeout: number | undefined
  showMenu: boolean
  /** `debug` turns it on and off; nothing on this machine has more to say then. */
  debug: boolean
  /** Lines of the command line, the latest first. */
  readonly history: string[]
  /** What Ctrl-K and Ctrl-U took away. */
  killed: string
}

/** Open a file on the root device or on the one it names. */
export const open = (grub: Grub, filename: string, options?: { readonly decompress?: boolean }): OpenFile =>
  openFile(grub.disks, grub.metal.natives, grub.root, filename, options)
