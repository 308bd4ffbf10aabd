/** xenconsoled's side of a domain's console ring, on the machine's memory: bytes out become text, what is typed goes in. */
import type { Mem } from '#abi/mem.ts'
import { XENCONS_IN_SIZE, XENCONS_OUT_SIZE, xencons_interface } from '#abi/xen/io/console.ts'
import { byteString, bytesOfString } from '#lib/utf8.ts'

const { in: input, out, in_cons, in_prod, out_cons, out_prod } = xencons_interface.fields

export class ConsoleRing {
  text = ''
  onText: ((text: string) => void) | undefined
  readonly #mem: Mem
  readonly #page: number
  readonly #notify: () => void
  #input = ''

  constructor(mem: Mem, page: number, notify: () => void) {
    this.#mem = mem
    this.#page = page
    this.#notify = notify
  }

  type(text: string): void {
    this.#input += text
  }

  /** As far as both directions go now. */
  serve(): void {
    const mem = this.#mem
    const page = this.#page
    let moved = false
    const prod = out_prod.get(mem, page)
    let cons = out_cons.get(mem, page)
    if (cons !== prod) {
      let text = ''
      for (let left = Math.min((prod - cons) >>> 0, XENCONS_OUT_SIZE); left > 0; left--) {
        text += byteString(mem.copyOut(page + out.offset + (cons % XENCONS_OUT_SIZE), 1))
        cons = (cons + 1) >>> 0
      }
      out_cons.set(mem, page, prod)
      this.text += text
      this.onText?.(text)
      moved = true
    }
    while (this.#input !== '' && (in_prod.get(mem, page) - in_cons.get(mem, page)) >>> 0 < XENCONS_IN_SIZE) {
      const at = in_prod.get(mem, page)
      mem.copyIn(page + input.offset + (at % XENCONS_IN_SIZE), bytesOfString(this.#input[0]!))
      in_prod.set(mem, page, (at + 1) >>> 0)
      this.#input = this.#input.slice(1)
      moved = true
    }
    if (moved) this.#notify()
  }
}
