import { openFile } from '../disk/file.ts'
import { Err, fail } from '../errors.ts'
import type { Grub } from '../grub.ts'
import { directoryOf, parseNumber } from '../text.ts'
import type { Command } from './command.ts'

/** The number and newlines up to here; the file is longer, a warning to whoever edits it. */
const SAVED_BYTES = 10
const NEWLINE = 10

/** The number to save: the entry itself, the one named, or the next fallback after this one. */
function entryToSave({ currentEntry, fallbackEntries }: Grub, arg: string): number {
  if (arg === '') return currentEntry
  if (!arg.startsWith('fallback')) return parseNumber(arg).value
  return fallbackEntries[fallbackEntries.indexOf(currentEntry) + 1] ?? fail(Err.badArgument)
}

export const savedefault: Command = {
  name: 'savedefault',
  usage: "savedefault [NUM | `fallback']",
  help:
    'Save the current entry as the default boot entry if no argument is' +
    ' specified. If a number is specified, this number is saved. If' +
    " `fallback' is used, next fallback entry is saved.",
  run(grub, arg, how) {
    if (how !== 'script') fail(Err.unrecognized)
    const entry = entryToSave(grub, arg)
    const { disks, metal, home, configFile } = grub
    const file = openFile(disks, metal.natives, home, directoryOf(configFile) + 'default', { decompress: false })
    if (file.size < SAVED_BYTES) fail(Err.read)
    const lba = file.runs()[0]?.lba ?? fail(Err.fsysCorrupt)
    // In place: GRUB cannot make a file longer, nor move one.
    const sector = disks.readIn(file.extent, lba, 1)
    const digits = String(entry)
    for (let i = 0; i < SAVED_BYTES; i++) sector[i] = i < digits.length ? digits.charCodeAt(i) : NEWLINE
    disks.write(file.extent.device.drive, file.extent.start + lba, sector)
  },
}
