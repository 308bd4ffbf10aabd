/**
 * /boot/grub/menu.lst of one page's machine: what is on the disk, what somebody makes of it, and how that gets there. It outlives the panel, so a
 * change is not lost when another tab comes to the front.
 */
import { createStore, type StoreApi } from 'zustand/vanilla'
import { byteString, bytesOfString, utf8Decode, utf8Encode } from '#lib/utf8.ts'
import type { Words } from '../../i18n/index.ts'
import type { Session } from '../../session.ts'
import { readDocument } from './document.ts'
import { type FileState, filesNamed } from './lint.ts'

export const MENU_PATH = '/boot/grub/menu.lst'
/** So long dom0 may take to answer, in real time. */
const DOM0_ANSWER_MS = 8000
/** At most so often is a disk that is being written read again. */
const REREAD_MS = 700

export interface MenuFileState {
  readonly phase: 'unread' | 'ready' | 'failed' | 'gone'
  /** The machine's own words, of what failed. */
  readonly why: string
  /** As last read from the disk. */
  readonly disk: string
  /** What the draft began from. */
  readonly base: string
  readonly draft: string
  readonly saving: boolean
  readonly note: Words | undefined
  readonly files: ReadonlyMap<string, FileState>
  readonly view: 'form' | 'text'
}

export interface MenuFile {
  readonly store: StoreApi<MenuFileState>
  /** From the disk, now. */
  read(): Promise<void>
  /** Call when the disk may have changed; reads soon, and not too often. */
  mayHaveChanged(): void
  edit(text: string): void
  /** Back to the disk's. */
  revert(): void
  /** After the disk's file has changed: go on from it, with the present draft. */
  keepMine(): void
  view(view: MenuFileState['view']): void
  /** Off: onto the disk. On: by dom0. */
  save(): Promise<void>
  saveAndReset(): Promise<void>
}

const bytesEqual = (a: Uint8Array, b: Uint8Array): boolean =>
  a.length === b.length && a.every((byte, i) => byte === b[i])

/** Text that turns back into the same bytes: UTF-8 where the file is, else each byte a letter. */
export function menuText(bytes: Uint8Array): { text: string; bytesOf: (text: string) => Uint8Array } {
  const text = utf8Decode(bytes)
  if (bytesEqual(utf8Encode(text), bytes)) return { text, bytesOf: utf8Encode }
  return { text: byteString(bytes), bytesOf: bytesOfString }
}

const wordsOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

export const isDirty = ({ draft, base }: MenuFileState): boolean => draft !== base
/** Somebody else wrote the file while it was being edited. */
export const inConflict = (state: MenuFileState): boolean => isDirty(state) && state.disk !== state.base

const files = new WeakMap<Session, MenuFile>()

export function menuFileOf(session: Session): MenuFile {
  const found = files.get(session) ?? createMenuFile(session)
  files.set(session, found)
  return found
}

function createMenuFile(session: Session): MenuFile {
  const { client } = session
  const store = createStore<MenuFileState>(() => ({
    phase: 'unread',
    why: '',
    disk: '',
    base: '',
    draft: '',
    saving: false,
    note: undefined,
    files: new Map(),
    view: 'form',
  }))
  let bytesOf: (text: string) => Uint8Array = utf8Encode
  let reread: number | undefined
  let reading: Promise<void> | undefined

  const readBytes = async (path: string): Promise<Uint8Array> => {
    // A page that was opened with the power off has no machine yet: one is made, and stays off.
    if (client.status === 'none') await session.newMachine({}, false)
    return (await client.request({ kind: 'read-file', path })) as Uint8Array
  }

  async function readNow(): Promise<void> {
    if (client.status === 'dead') {
      store.setState({ phase: 'gone' })
      return
    }
    try {
      const found = menuText(await readBytes(MENU_PATH))
      bytesOf = found.bytesOf
      const state = store.getState()
      const fresh = !isDirty(state) || state.phase === 'unread' || state.draft === found.text
      store.setState({
        phase: 'ready',
        disk: found.text,
        files: new Map(),
        ...(fresh ? { base: found.text, draft: found.text } : {}),
      })
      await lookForFiles()
    } catch (error) {
      // A draft is worth more than the news that the disk has gone.
      if (!isDirty(store.getState())) store.setState({ phase: 'failed', why: wordsOf(error) })
    }
  }

  function read(): Promise<void> {
    reading ??= readNow().finally(() => {
      reading = undefined
    })
    return reading
  }

  /** Which of the files that the draft names are there. */
  async function lookForFiles(): Promise<void> {
    for (const path of filesNamed(readDocument(store.getState().draft))) {
      const { files: known } = store.getState()
      if (known.has(path)) continue
      store.setState({ files: new Map(known).set(path, 'unknown') })
      const found = await readBytes(path).then(
        (): FileState => 'here',
        (error): FileState => (/^(ENOENT|ENOTDIR|EISDIR)/.test(wordsOf(error)) ? 'missing' : 'unknown'),
      )
      store.setState({ files: new Map(store.getState().files).set(path, found) })
    }
  }

  function warnOfLoss(event: BeforeUnloadEvent): void {
    event.preventDefault()
  }

  function edit(text: string): void {
    store.setState({ draft: text, note: undefined })
    if (isDirty(store.getState())) window.addEventListener('beforeunload', warnOfLoss)
    else window.removeEventListener('beforeunload', warnOfLoss)
    void lookForFiles()
  }

  function onDisk(text: string, note: Words): void {
    store.setState({ disk: text, base: text, note })
    edit(store.getState().draft)
    store.setState({ note })
  }

  /** Through a host link: dom0 writes the file itself, and the link's end says that it is on the disk. */
  const writeByDom0 = (bytes: Uint8Array): Promise<void> =>
    new Promise((resolve, reject) => {
      const timer = window.setTimeout(() => {
        link.close()
        reject(new Error())
      }, DOM0_ANSWER_MS)
      const over = (act: () => void) => () => {
        window.clearTimeout(timer)
        act()
      }
      const link = session.openLink(`file:${MENU_PATH}`, {
        data: (part, taken) => taken(part.length),
        end: over(resolve),
        close: (reason) => over(() => reject(new Error(reason)))(),
      })
      link.write(bytes)
      link.end()
    })

  const writeOff = async (bytes: Uint8Array): Promise<void> => {
    await client.request({ kind: 'write-file', path: MENU_PATH, bytes })
  }

  const untilOff = (): Promise<void> =>
    new Promise((resolve) => {
      const isOff = () => session.store.getState().power === 'off'
      if (isOff()) return resolve()
      const unsubscribe = session.store.subscribe(() => {
        if (!isOff()) return
        unsubscribe()
        resolve()
      })
    })

  /** Runs one way of saving, and tells how it ended. */
  async function saving(act: (bytes: Uint8Array) => Promise<Words>): Promise<void> {
    const { draft, saving: already } = store.getState()
    if (already) return
    store.setState({ saving: true, note: undefined })
    try {
      // What somebody else has put on the disk meanwhile is not written over unseen.
      await read()
      if (!inConflict(store.getState())) onDisk(draft, await act(bytesOf(draft)))
    } catch (error) {
      const why = wordsOf(error)
      store.setState({
        note: why === '' ? { key: 'boot-menu.refused.silent' } : { key: 'boot-menu.refused', values: { why } },
      })
    } finally {
      store.setState({ saving: false })
    }
  }

  const isOff = (): boolean => session.store.getState().power === 'off'

  return {
    store,
    read,
    mayHaveChanged() {
      if (reread !== undefined) return
      reread = window.setTimeout(() => {
        reread = undefined
        if (!store.getState().saving) void read()
      }, REREAD_MS)
    },
    edit,
    revert() {
      const { disk } = store.getState()
      store.setState({ base: disk })
      edit(disk)
    },
    keepMine: () => store.setState({ base: store.getState().disk }),
    view: (view) => store.setState({ view }),
    save: () =>
      saving(async (bytes) => {
        if (isOff()) {
          await writeOff(bytes)
          return { key: 'boot-menu.saved' }
        }
        await writeByDom0(bytes)
        return { key: 'boot-menu.saved.dom0' }
      }),
    saveAndReset: () =>
      saving(async (bytes) => {
        const written =
          session.store.getState().power === 'xen' &&
          (await writeByDom0(bytes).then(
            () => true,
            () => false,
          ))
        if (written) {
          session.input({ kind: 'button', button: 'reset' })
          return { key: 'boot-menu.saved.reset' }
        }
        if (!isOff()) session.input({ kind: 'button', button: 'power' })
        await untilOff()
        await writeOff(bytes)
        session.clock(session.store.getState().nextOptions.clock)
        session.input({ kind: 'button', button: 'power' })
        return { key: 'boot-menu.saved.power' }
      }),
  }
}
