/** Who wants to hear of changes (xenstored_watch.c). Watches are found by path, so that a write costs its depth, not everybody's watches. */
import type { Connection } from './connection.ts'
import { isChild, parentOf } from './tree.ts'

export interface Watch {
  readonly conn: Connection
  readonly node: string
  readonly token: string
  /** Of a relative watch: how much of a path its owner does not see. */
  readonly hidden: number
  /** In the order of registering. */
  readonly serial: number
}

export class Watches {
  readonly #byNode: Map<string, Watch[]>
  #serial: number

  constructor() {
    this.#byNode = new Map()
    this.#serial = 0
  }

  add(conn: Connection, node: string, token: string, hidden: number): Watch {
    const watch = { conn, node, token, hidden, serial: ++this.#serial }
    const list = this.#byNode.get(node)
    if (list) list.push(watch)
    else this.#byNode.set(node, [watch])
    conn.watches.push(watch)
    if (conn.domain) conn.domain.watches++
    return watch
  }

  remove(watch: Watch): void {
    const { conn, node } = watch
    const list = this.#byNode.get(node)!
    list.splice(list.indexOf(watch), 1)
    if (list.length === 0) this.#byNode.delete(node)
    conn.watches.splice(conn.watches.indexOf(watch), 1)
    if (conn.domain && conn.domain.watches > 0) conn.domain.watches--
  }

  removeAll(conn: Connection): void {
    while (conn.watches.length > 0) this.remove(conn.watches.at(-1)!)
  }

  /** Something happened to `name`; with `recurse` also to all below it, whose watches then tell their own path. The oldest connection hears it first. */
  fire(name: string, recurse: boolean): void {
    const hit: Watch[] = []
    for (let above = name; ; above = parentOf(above)) {
      const list = this.#byNode.get(above)
      if (list) hit.push(...list)
      if (above === '/') break
    }
    if (recurse && name !== '/')
      for (const [node, list] of this.#byNode) if (node !== name && isChild(node, name)) hit.push(...list)
    if (hit.length > 1) hit.sort((a, b) => a.conn.serial - b.conn.serial || a.serial - b.serial)
    for (const watch of hit) tell(watch, isChild(name, watch.node) ? name : watch.node)
  }
}

/** Queue the event. Whoever may not see the node hears of it all the same: a back end could not learn otherwise that its front end is gone. */
export function tell({ conn, token, hidden }: Watch, path: string): void {
  const shown = path.slice(hidden)
  conn.event(hidden > 0 && shown.startsWith('/') ? shown.slice(1) : shown, token)
}
