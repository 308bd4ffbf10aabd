/** A directory of sysfs that is made up as it is looked at. */
import type { DirNode, SynthNode } from '../proc/synth.ts'

const MODE = 0o755

/** A directory of what there is at the moment; a name's node stays the same as long as it is there. */
export class LiveDir implements DirNode {
  readonly kind = 'dir'
  readonly mode = MODE
  readonly #names: () => Iterable<string>
  readonly #make: (name: string) => SynthNode
  #nodes = new Map<string, SynthNode>()

  constructor(names: () => Iterable<string>, make: (name: string) => SynthNode) {
    this.#names = names
    this.#make = make
  }

  find(name: string): SynthNode | undefined {
    for (const each of this.#names()) if (each === name) return this.#node(name)
    this.#nodes.delete(name)
    return undefined
  }

  *list(): Iterable<readonly [string, SynthNode]> {
    for (const name of this.#names()) yield [name, this.#node(name)]
  }

  #node(name: string): SynthNode {
    let node = this.#nodes.get(name)
    if (!node) {
      node = this.#make(name)
      this.#nodes.set(name, node)
    }
    return node
  }
}
