/** A kernel and an initrd from files of the person's, dropped on the page or chosen: onto domain 0's disk, and what to write into a configuration. */
import { utf8Encode } from '#lib/utf8.ts'
import type { Words } from '../i18n/index.ts'
import type { Session } from '../session.ts'
import { addFile } from './actions.ts'
import {
  bootPath,
  configurationOf,
  GUEST_NAME,
  HEAD_BYTES,
  type KernelFileKind,
  kindOfKernelFile,
} from './kernel-files.ts'

/** How far it has come. `files`: what lies on the disk, from earlier also. */
export type KernelAdd =
  | { readonly phase: 'adding'; readonly name: string; readonly done: number; readonly total: number }
  | { readonly phase: 'done'; readonly files: AddedFiles; readonly configured: boolean }
  | { readonly phase: 'failed'; readonly why: Words }

export type AddedFiles = { readonly [K in KernelFileKind]?: string }

interface Found {
  readonly file: File
  readonly kind: KernelFileKind
}

const tell = (session: Session, add: KernelAdd): void => session.store.dispatch({ type: 'kernel-add', add })

/** Which of them are kernels and initrds. */
async function recognized(files: readonly File[]): Promise<Found[]> {
  const kinds = files.map(async (file): Promise<Found[]> => {
    const kind = kindOfKernelFile(file.name, new Uint8Array(await file.slice(0, HEAD_BYTES).arrayBuffer()))
    return kind ? [{ file, kind }] : []
  })
  return (await Promise.all(kinds)).flat()
}

/** Whether a kernel or an initrd is among them. */
export const hasKernel = async (files: readonly File[]): Promise<boolean> => (await recognized(files)).length > 0

/** Never rejects: the store has what became of it. */
export async function addKernel(session: Session, files: readonly File[]): Promise<void> {
  const refuse = (why: Words): void => tell(session, { phase: 'failed', why })
  const before = session.store.getState().kernelAdd
  if (before?.phase === 'adding') return
  const found = await recognized(files)
  const strange = files.find((file) => !found.some((known) => known.file === file))
  if (strange) return refuse({ key: 'disk.kernel.strange', values: { name: strange.name } })
  let added: AddedFiles = before?.phase === 'done' ? before.files : {}
  for (const { file, kind } of found) {
    const path = bootPath(file.name)
    if (path === undefined) return refuse({ key: 'disk.kernel.own', values: { name: file.name } })
    const onSent = (done: number): void => tell(session, { phase: 'adding', name: file.name, done, total: file.size })
    onSent(0)
    try {
      await addFile(session, path, file, onSent)
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error)
      const full = /no space left/i.test(why)
      return refuse({ key: full ? 'disk.kernel.full' : 'disk.kernel.failed', values: { name: file.name, why } })
    }
    added = { ...added, [kind]: path }
  }
  tell(session, { phase: 'done', files: added, configured: false })
}

/** The configuration, as a file of domain 0's. */
export async function writeConfiguration(session: Session, files: AddedFiles): Promise<void> {
  const { kernel, initrd } = files
  if (kernel === undefined) return
  const text = new Blob([utf8Encode(configurationOf({ kernel, initrd })) as Uint8Array<ArrayBuffer>])
  try {
    await addFile(session, `/etc/xen/${GUEST_NAME}`, text)
    tell(session, { phase: 'done', files, configured: true })
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    tell(session, { phase: 'failed', why: { key: 'disk.kernel.failed', values: { name: GUEST_NAME, why } } })
  }
}

/** Files that are dropped anywhere on the page, unless what they were dropped on has use for them. Returns what undoes it. */
export function takeDroppedKernels(session: Session, page: Window): () => void {
  const hasFiles = (event: DragEvent): boolean => event.dataTransfer?.types.includes('Files') ?? false
  const over = (event: DragEvent): void => {
    // Or the browser would leave the page for the file.
    if (hasFiles(event)) event.preventDefault()
  }
  const drop = (event: DragEvent): void => {
    if (event.defaultPrevented || !hasFiles(event)) return
    event.preventDefault()
    session.store.dispatch({ type: 'panel', panel: 'machine' })
    void addKernel(session, [...(event.dataTransfer?.files ?? [])])
  }
  page.addEventListener('dragover', over)
  page.addEventListener('drop', drop)
  return () => {
    page.removeEventListener('dragover', over)
    page.removeEventListener('drop', drop)
  }
}
