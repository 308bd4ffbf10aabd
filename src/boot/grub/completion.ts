/** What TAB finds: commands, disks, partitions and files (print_completions of stage2/disk_io.c). */
import {
  type Device,
  DRIVES_MAX,
  driveName,
  FIRST_HARD_DISK,
  isHardDisk,
  partitionNumber,
  scanDevice,
} from './disk/device.ts'
import { isExtended } from './disk/disks.ts'
import { lookup, onFilesystem } from './disk/file.ts'
import { Err, errorOf, errorText, fail, grubError } from './errors.ts'
import type { Grub } from './grub.ts'
import { directoryOf } from './text.ts'

export interface Completion {
  /** What to add to the word. */
  readonly insert: string
  /** There is a choice: the message lists it. */
  readonly several: boolean
  /** Undefined where nothing needs to be said. */
  readonly message: string | undefined
}

/** Candidates for a part of the word, and how the word goes on when there is but one. */
interface Candidates {
  /** The part of the word that the candidates complete. */
  readonly part: string
  readonly names: readonly string[]
  /** The end of the word behind the only candidate. */
  readonly close: (name: string) => string
  /** The list as shown. */
  readonly list: () => string
}

function common(names: readonly string[]): string {
  let shared = names[0] ?? ''
  for (const name of names) while (!name.startsWith(shared)) shared = shared.slice(0, -1)
  return shared
}

/** Complete `word`, which is the command itself or an argument. */
export function complete(grub: Grub, word: string, isArgument: boolean): Completion {
  try {
    grub.disks.invalidate()
    const { part, names, close, list } = isArgument ? argument(grub, word) : commands(grub, word)
    const [only] = names
    if (only === undefined) return { insert: '', several: false, message: '' }
    if (names.length === 1)
      return { insert: (only + close(only)).slice(part.length), several: false, message: undefined }
    return { insert: common(names).slice(part.length), several: true, message: list() }
  } catch (caught) {
    const { number } = grubError(caught)
    return { insert: '', several: false, message: `\nError ${number}: ${errorText(number)}\n` }
  }
}

const listed = (heading: string, names: readonly string[]): string =>
  heading + names.map((name) => ' ' + name).join('') + '\n'

function commands(grub: Grub, part: string): Candidates {
  const names = grub.commands.filter(({ run, name }) => run && name.startsWith(part)).map(({ name }) => name)
  return { part, names, close: () => ' ', list: () => listed(' Possible commands are:', names) }
}

function argument(grub: Grub, word: string): Candidates {
  if (word[0] === '/') return files(grub, grub.root, word)
  const scan = scanDevice(word, grub.root)
  if (scan.rest === undefined) return scan.part ? partitions(grub, scan.device, word) : disks(grub, word)
  if (scan.rest === '') {
    // The device is whole; open it to say so if it is not there.
    grub.disks.open(scan.device)
    return { part: '', names: [''], close: () => '', list: () => '' }
  }
  return scan.rest[0] === '/' ? files(grub, scan.device, scan.rest) : fail(Err.badFilename)
}

function disks(grub: Grub, word: string): Candidates {
  const part = word.slice(1)
  const names: string[] = []
  for (const first of [0, FIRST_HARD_DISK])
    for (let drive = first; drive < first + DRIVES_MAX; drive++)
      if (driveName(drive).startsWith(part) && grub.disks.geometry(drive)) names.push(driveName(drive))
  return {
    part,
    names,
    close: (name) => (name[0] === 'h' ? ',' : ')'),
    list: () => listed(' Possible disks are: ', names),
  }
}

function partitions(grub: Grub, device: Device, word: string): Candidates {
  const part = word.slice(word.indexOf(',') + 1)
  const chosen = part !== '' && errorOf(() => grub.disks.open(device)) === undefined
  if (chosen) return { part: '', names: [''], close: () => ')', list: () => '' }
  const names = isHardDisk(device.drive)
    ? grub.disks
        .partitions(device.drive)
        .filter(({ type }) => !isExtended(type))
        .map(({ word }) => `${partitionNumber(word)})`)
    : []
  return {
    part,
    names,
    close: () => '',
    list: () =>
      ' Possible partitions are:\n' +
      grub.disks
        .describePartitions(device.drive)
        .map((line) => line + '\n')
        .join(''),
  }
}

function files(grub: Grub, device: Device, path: string): Candidates {
  const reader = grub.disks.mount(grub.disks.open(device)) ?? fail(Err.fsysMount)
  const directory = directoryOf(path)
  const part = path.slice(directory.length)
  const inode = lookup(reader, directory)
  const names = onFilesystem(() => reader.list(inode))
    .map(({ name }) => name)
    .filter((name) => name !== '.' && name !== '..' && name.startsWith(part))
  if (names.length === 0) fail(Err.fileNotFound)
  return {
    part,
    names,
    close: (name) => {
      let isDirectory = false
      errorOf(() => {
        isDirectory = lookup(reader, directory + name).isDir
      })
      return isDirectory ? '/' : ' '
    },
    list: () => listed(' Possible files are:', names),
  }
}
