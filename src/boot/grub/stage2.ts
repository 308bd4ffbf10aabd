/**
 * GRUB legacy 0.97's stage2 as an image: started by its own first sector at STAGE2_BODY_ADDRESS, reads menu.lst from the disk it came
 * from, shows the menu and boots (cmain of stage2/stage2.c, init_bios_info of common.c). Texts and keys are those of Red Hat's
 * package, which CentOS 5 ships.
 *
 * On purpose it differs in this: kernels that need an x86 in real mode (Linux, a.out) are error 13; `terminal --timeout 10` means what
 * it seems to; DEL on the serial line is a backspace, and what is typed while a screen is drawn is kept; a gzipped file whose end is
 * missing is always error 3, where GRUB takes the last bytes that it finds for a length.
 */
import { image_header } from '#abi/image.ts'
import { STAGE2_BODY_ADDRESS, STAGE2_PARAMS_OFFSET, stage2_params } from '#abi/pc/grub.ts'
import { type MenuEntry, menuSettings, parseMenuList } from '#abi/pc/menu-lst.ts'
import type { Metal, MetalEntry } from '#abi/pc/metal.ts'
import { pollingCode } from '#lib/polling.ts'
import { byteString } from '#lib/utf8.ts'
import { COMMANDS } from './commands/index.ts'
import { FIRST_HARD_DISK, WHOLE_DISK } from './disk/device.ts'
import { Disks } from './disk/disks.ts'
import { errorOf, GrubError } from './errors.ts'
import { type Grub, open } from './grub.ts'
import { NOTHING } from './loader/loaded.ts'
import { probeMemory } from './loader/memory.ts'
import { runMenu } from './menu.ts'
import { Restart, type Run } from './run.ts'
import { runLine } from './script.ts'
import { runCommandLine } from './shell.ts'
import { Tty } from './terminal/tty.ts'
import { directoryOf, parseNumber, zeroEnded } from './text.ts'

/** More than that is no menu. */
const CONFIG_BYTES_MAX = 0x40000
const SAVED_DEFAULT_BYTES = 10
const DEFAULT_CONFIG = '/boot/grub/menu.lst'
const DEFAULT_VERSION = '0.97'

export const start: MetalEntry = (metal, regs) =>
  pollingCode(main(metal, regs.edx ?? FIRST_HARD_DISK), { kind: 'hlt', interrupts: false })

function grubOn(metal: Metal, drive: number): Grub {
  const header = image_header.read(metal.mem, STAGE2_BODY_ADDRESS)
  const params = stage2_params.read(metal.mem, STAGE2_BODY_ADDRESS + STAGE2_PARAMS_OFFSET)
  const home = { drive, partition: params.install_partition & WHOLE_DISK }
  return {
    metal,
    tty: new Tty(metal),
    disks: new Disks(metal),
    memory: probeMemory(metal.bios),
    commands: COMMANDS,
    version: zeroEnded(params.version_string) || DEFAULT_VERSION,
    home,
    codeEnd: STAGE2_BODY_ADDRESS + header.code_offset + header.code_bytes,
    configFile: zeroEnded(params.config_file) || DEFAULT_CONFIG,
    root: home,
    loaded: NOTHING,
    password: undefined,
    authorised: false,
    currentEntry: 0,
    fallback: undefined,
    fallbackEntries: [],
    timeout: undefined,
    showMenu: true,
    debug: false,
    history: [],
    killed: '',
  }
}

function* main(metal: Metal, drive: number): Run<never> {
  const grub = grubOn(metal, drive)
  grub.tty.announce()
  for (;;) {
    try {
      const { entries, defaultEntry } = yield* readMenu(grub)
      if (entries.length === 0) yield* runCommandLine(grub, true)
      else yield* runMenu(grub, entries, defaultEntry)
    } catch (caught) {
      if (!(caught instanceof Restart)) throw caught
    }
  }
}

/** The file's text, undefined where it cannot be read. */
function textOf(grub: Grub, filename: string, most: number): string | undefined {
  let text: string | undefined
  errorOf(() => {
    text = byteString(open(grub, filename).read(0, most))
  })
  return text
}

/** The number that `savedefault` has written beside the menu file. */
function savedDefault(grub: Grub): number {
  let saved = 0
  errorOf(() => {
    saved = parseNumber(textOf(grub, directoryOf(grub.configFile) + 'default', SAVED_DEFAULT_BYTES) ?? '').value
  })
  return saved
}

/** Read the menu file and obey its head. Without a file there are no entries. */
function* readMenu(grub: Grub): Run<{ readonly entries: readonly MenuEntry[]; readonly defaultEntry: number }> {
  grub.root = grub.home
  grub.password = undefined
  grub.disks.invalidate()
  const list = parseMenuList(textOf(grub, grub.configFile, CONFIG_BYTES_MAX) ?? '')
  const settings = menuSettings(list, savedDefault(grub))
  grub.fallback = settings.fallback.length > 0 ? settings.fallback : undefined
  grub.fallbackEntries = settings.fallbackEntries
  grub.timeout = settings.timeout
  if (settings.hidden) grub.showMenu = false
  for (const line of list.head)
    try {
      yield* runLine(grub, line, 'menu')
    } catch (caught) {
      // What is wrong in the head is passed over in silence.
      if (!(caught instanceof GrubError)) throw caught
    }
  return { entries: list.entries, defaultEntry: settings.defaultEntry }
}
