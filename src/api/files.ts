/** Files into a running machine: a host link to `file:PATH`, which domain 0's daemon writes. Its end means that the file is on the disk. */

import { byteString, utf8Encode } from '#lib/utf8.ts'
import type { OpenLink } from '#protocol/open-link.ts'

export function writeInside(openLink: OpenLink, path: string, bytes: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    const link = openLink(`file:${byteString(utf8Encode(path))}`, {
      data: (answer, taken) => taken(answer.length),
      end: () => {
        resolve()
        link.close()
      },
      close: (reason) => reject(new Error(reason)),
    })
    link.write(bytes)
    link.end()
  })
}
