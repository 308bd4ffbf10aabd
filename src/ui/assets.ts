/** What the page hands to the sandboxed worker: fetched once, kept for the next power-on. */
import { diskId, diskRestUrl, diskUrl, guestsUrl, machineCodeUrl, translationsUrl, workerUrl } from 'virtual:machine'
import { NOT_LOADED } from './store/status.ts'

async function get(url: string): Promise<Response> {
  try {
    const response = await fetch(url)
    if (!response.ok) throw new Error(`${response.status} ${response.statusText}`)
    return response
  } catch (error) {
    throw new Error(`${url} ${NOT_LOADED}: ${error instanceof Error ? error.message : error}`)
  }
}

/** `make` once; a failure is forgotten, so that the next call tries again. */
function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined
  return () => {
    made ??= make().catch((error) => {
      made = undefined
      throw error
    })
    return made
  }
}

export const workerText = once(async () => (await get(workerUrl)).text())

export const machineCodeText = once(async () => (await get(machineCodeUrl)).text())

const diskBytes = once(async () => (await get(diskUrl)).arrayBuffer())

const restBytes = once(async () => (await get(diskRestUrl)).arrayBuffer())

/** The rest of it, which is there when the machine has begun: it is not needed before somebody has logged in. */
export const defaultDiskRest = async (): Promise<ArrayBuffer> => (await restBytes()).slice(0)

/** A fresh copy of the first part of the default disk's container, gzipped or (where a server said `Content-Encoding: gzip`) unpacked by the browser already. */
export const defaultDisk = async (): Promise<ArrayBuffer> => (await diskBytes()).slice(0)

const guestsBytes = once(async () => (await get(guestsUrl ?? '')).arrayBuffer())

/** The second disk, for who wants one; undefined: whoever made this page has not put one beside it. */
export const guestsDisk = guestsUrl === undefined ? undefined : async () => (await guestsBytes()).slice(0)

const translationsBytes = once(async () => (await get(translationsUrl ?? '')).arrayBuffer())

/** What is translated of its kernels already. */
export const guestsTranslations =
  translationsUrl === undefined ? undefined : async () => (await translationsBytes()).slice(0)

export { diskId }
