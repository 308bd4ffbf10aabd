/** A file for the person's own disk. */

export function saveAs(file: Blob, name: string): void {
  const url = URL.createObjectURL(file)
  const link = document.createElement('a')
  link.href = url
  link.download = name
  link.click()
  // The browser has taken hold of it by then.
  setTimeout(() => URL.revokeObjectURL(url), 60_000)
}

/** Gzipped in pieces: a raw disk is mostly zeros. */
export function gzipped(bytes: Uint8Array): Promise<Blob> {
  const packed = new Blob([bytes as Uint8Array<ArrayBuffer>]).stream().pipeThrough(new CompressionStream('gzip'))
  return new Response(packed).blob()
}

export const exportName = (now: Date): string => `xenhost-${now.toISOString().slice(0, 10)}.img.gz`
