/** What the page hands to the sandboxed worker: fetched once, kept for the next power-on. */
import { diskUrl, workerUrl } from 'virtual:machine'

async function get(url: string): Promise<Response> {
  const response = await fetch(url)
  if (!response.ok) throw new Error(`${url}: ${response.status} ${response.statusText}`)
  return response
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

const diskBlob = once(async () => (await get(diskUrl)).blob())

/** A fresh copy of the default disk's container. */
export async function defaultDisk(): Promise<ArrayBuffer> {
  const blob = await diskBlob()
  const magic = new Uint8Array(await blob.slice(0, 2).arrayBuffer())
  // A server that says `Content-Encoding: gzip` has had it unpacked by the browser already.
  const packed = magic[0] === 0x1f && magic[1] === 0x8b
  const stream = packed ? blob.stream().pipeThrough(new DecompressionStream('gzip')) : blob.stream()
  return new Response(stream).arrayBuffer()
}
