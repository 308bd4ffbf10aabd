/** What a person can do about the disk and its storage; each is one button somewhere. */
import { utf8Encode } from '#lib/utf8.ts'
import type { Session } from '../session.ts'
import { exportName, gzipped, saveAs } from './download.ts'
import type { DiskNotice } from './slice.ts'

const noticed = (session: Session, notice: DiskNotice | undefined): void =>
  session.store.dispatch({ type: 'disk-notice', notice })

export const dismissNotice = (session: Session): void => noticed(session, undefined)

/** This tab becomes the one that writes; its machine is made anew from the stored disk, and switched on. */
export async function takeOver(session: Session): Promise<void> {
  await session.diskKeeper.takeOver()
  await session.newMachine()
}

/** Go on with the disk of the older page, and say no more about it: once that is stored, since a reload would ask again. */
export async function keepOld(session: Session): Promise<void> {
  try {
    await session.diskKeeper.keepOld()
  } finally {
    noticed(session, undefined)
  }
}

/** All that was ever written goes: the machine is new, with the default disk of this page, and off. */
export async function discardOld(session: Session): Promise<void> {
  noticed(session, undefined)
  await session.discardDisk()
}

/** The disk as the machine has it now, as a gzipped raw image. */
export async function exportDisk(session: Session): Promise<void> {
  const raw = (await session.ask({ kind: 'export-disk' })) as Uint8Array
  saveAs(await gzipped(raw), exportName(new Date()))
}

export const exportOld = exportDisk

/**
 * A raw image, gzipped or not, becomes the disk of a new machine, which is off. What is no disk is refused, with a notice, before anything
 * becomes of the present machine.
 */
export async function importDisk(session: Session, file: Blob): Promise<void> {
  noticed(session, undefined)
  try {
    const bytes = new Uint8Array(await file.arrayBuffer())
    if (session.store.getState().power !== 'off') {
      await session.ask({ kind: 'check-image', bytes })
      await session.newMachine({}, false)
    }
    await session.ask({ kind: 'import-disk', bytes })
  } catch (error) {
    noticed(session, { kind: 'import-refused', message: error instanceof Error ? error.message : String(error) })
    throw error
  }
}

/**
 * A file for the machine: while it is off, written to its disk; while it runs, by domain 0, which a host link gives it to. `onSent` hears how
 * much has been given. Rejects with why not, in the words of whoever refused.
 */
export async function addFile(
  session: Session,
  path: string,
  file: Blob,
  onSent: (bytes: number) => void = () => {},
): Promise<void> {
  const bytes = new Uint8Array(await file.arrayBuffer())
  const { power } = session.store.getState()
  if (power === 'off') await session.ask({ kind: 'write-file', path, bytes })
  else await writeThroughLink(session, path, bytes, onSent)
}

const fileAddress = (path: string): string => `file:${String.fromCharCode(...utf8Encode(path))}`

/** What is on its way at once: while it is, somebody may look how far it has come. */
const PIECE_BYTES = 256 * 1024

function writeThroughLink(
  session: Session,
  path: string,
  bytes: Uint8Array,
  onSent: (bytes: number) => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    let sent = 0
    const send = (): void => {
      onSent(sent)
      while (sent < bytes.length) {
        const piece = bytes.subarray(sent, sent + PIECE_BYTES)
        sent += piece.length
        if (!link.write(piece)) return
        onSent(sent)
      }
      link.end()
    }
    const link = session.openLink(fileAddress(path), {
      data: (part, taken) => taken(part.length),
      end: () => resolve(),
      close: (reason) => {
        // Half a file is of no use, and may fill the disk: it is made empty.
        if (sent > 0) emptyFile(session, path)
        reject(new Error(reason))
      },
      drain: send,
    })
    send()
  })
}

function emptyFile(session: Session, path: string): void {
  const ignore = (): void => {}
  session.openLink(fileAddress(path), { data: ignore, end: ignore, close: ignore }).end()
}
