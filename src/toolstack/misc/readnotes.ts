/** readnotes (tools/xcutils/readnotes.c): the Xen notes of a kernel's file. */

import type { Sys } from '#abi/posix/syscalls.ts'
import { XEN_ELFNOTE_L1_MFN_VALID } from '#abi/xen/elfnote.ts'
import { OsError, strerror } from '#user/libc/errno.ts'
import { program } from '#user/libc/program.ts'
import { eprint, Out, STDOUT } from '#user/libc/stdio.ts'
import { tryGunzip } from '../libxc/dom/gunzip.ts'
import { elfInit, isElf, type Note, noteName, xenNotes } from '../libxc/dom/libelf.ts'
import { Panic } from '../libxc/dom/log.ts'
import { Charge, fileMap } from '../libxc/dom/memory.ts'

const silent = (): void => {}

function show({ type, descBytes, text, value }: Note): string {
  const known = type === 0 ? { name: 'INFO', numeric: false } : noteName(type)
  if (known) {
    const digits = value.toString(16).padStart(2 * descBytes, '0')
    return `${known.name}: ${known.numeric ? `0x${digits} (${descBytes} bytes)` : text}`
  }
  return type === XEN_ELFNOTE_L1_MFN_VALID ? '' : `unknown note type 0x${type.toString(16)}`
}

function* notesOf(path: string): Sys<readonly Note[] | undefined> {
  const charge = new Charge()
  let bytes = yield* fileMap(path, charge, silent)
  try {
    bytes = yield* tryGunzip(bytes, charge, silent)
  } catch (error) {
    if (!(error instanceof Panic)) throw error
  }
  const elf = isElf(bytes) ? elfInit(bytes) : undefined
  if (!elf) return undefined
  const notes = elf.noteSegments.flatMap((range) => xenNotes(bytes, range))
  if (notes.length > 0) return notes
  const fromSections = elf.noteSections.flatMap((range) => xenNotes(bytes, range))
  if (fromSections.length > 0) yield* eprint('using notes from SHT_NOTE section\n')
  return fromSections
}

export const readnotes = program({
  name: 'readnotes',
  usage: 'readnotes <elfimage>',
  help: 'Print the Xen notes of a guest kernel, which may be gzipped.',
  *main(argv) {
    const [, path] = argv
    if (argv.length !== 2 || path === undefined) {
      yield* eprint('Usage: readnotes <elfimage>\n')
      return 1
    }
    const out = new Out(STDOUT)
    try {
      const notes = yield* notesOf(path)
      if (!notes) {
        yield* eprint(`File ${path} is not an ELF image\n`)
        return 1
      }
      for (const note of notes) {
        const line = show(note)
        if (line !== '') yield* out.line(line)
      }
    } catch (error) {
      if (!(error instanceof OsError)) throw error
      yield* eprint(`Unable to open ${path}: ${strerror(error.errno)}\n`)
      return 1
    }
    yield* out.flush()
    return 0
  },
})
