/**
 * Who wants to hear of changes (xenstored_watch.c). Watches hang on a tree of the paths that are watched: a change costs its depth and those who hear
 * of it, not everybody's watches. A place of that tree is a path that is watched, or one where such paths part: so a watch of a path of a thousand
 * names takes no more than another.
 */
import type { Connection } from './connection.ts'
import { isChild } from './tree.ts'

export interface Watch {
  readonly conn: Connection
  readonly node: string
  readonly token: string
  /** Of a relative watch: how much of a path its owner does not see. */
  readonly hidden: number
  /** In the order of registering. */
  readonly serial: number
}

interface Place {
  /** `/a/b`; the root's is empty. */
  readonly path: string
  readonly watches: Watch[]
  /** By the first name behind `path`. */
  readonly below: Map<string, Place>
}

const newPlace = (path: string): Place => ({ path, watches: [], below: new Map() })

/** The first name of `path` behind `above`, which `path` lies below. */
function nameBehind(above: string, path: string): string {
  const at = above.length + 1
  const slash = path.indexOf('/', at)
  return path.slice(at, slash < 0 ? path.length : slash)
}

/** How much of two paths is the same; not a part of a name. */
function common(one: string, other: string): number {
  let same = 0
  for (let at = 0; ; at++) {
    const ends = at === one.length || at === other.length
    if ((at === one.length || one[at] === '/') && (at === other.length || other[at] === '/')) same = at
    if (ends || one[at] !== other[at]) return same
  }
}

export class Watches {
  readonly #root: Place
  /** Of special events, by their names, which begin with @ and have no slash in front. */
  readonly #special: Map<string, Place>
  #serial: number

  constructor() {
    this.#root = newPlace('')
    this.#special = new Map()
    this.#serial = 0
  }

  add(conn: Connection, node: string, token: string, hidden: number): Watch {
    const watch = { conn, node, token, hidden, serial: ++this.#serial }
    this.#place(node).watches.push(watch)
    conn.watches.push(watch)
    if (conn.domain) conn.domain.watches++
    return watch
  }

  /** The place of `node`, made if there is none. */
  #place(node: string): Place {
    if (!node.startsWith('/')) {
      const place = this.#special.get(node) ?? newPlace(node)
      this.#special.set(node, place)
      return place
    }
    const path = node === '/' ? '' : node
    let place = this.#root
    while (place.path !== path) {
      const name = nameBehind(place.path, path)
      const next = place.below.get(name)
      const same = next ? common(next.path, path) : 0
      if (next && same === next.path.length) place = next
      else {
        const made = newPlace(next ? path.slice(0, same) : path)
        if (next) made.below.set(nameBehind(made.path, next.path), next)
        place.below.set(name, made)
        place = made
      }
    }
    return place
  }

  /** The places on the way to `node`, which is watched, the last its own. Empty: nobody watches it. */
  #way(node: string): Place[] {
    if (!node.startsWith('/')) {
      const place = this.#special.get(node)
      return place ? [place] : []
    }
    const path = node === '/' ? '' : node
    const way = [this.#root]
    for (let place = this.#root; place.path !== path; ) {
      const next = place.below.get(nameBehind(place.path, path))
      if (!next || !isChild(path, next.path)) return []
      way.push(next)
      place = next
    }
    return way
  }

  find(conn: Connection, node: string, token: string): Watch | undefined {
    return this.#way(node)
      .at(-1)
      ?.watches.find((watch) => watch.conn === conn && watch.token === token)
  }

  remove(watch: Watch): void {
    const { conn, node } = watch
    const way = this.#way(node)
    take(way.at(-1)!.watches, watch)
    this.#tidy(node, way)
    take(conn.watches, watch)
    if (conn.domain && conn.domain.watches > 0) conn.domain.watches--
  }

  /** A place stays as long as it is watched, or paths part there. */
  #tidy(node: string, way: readonly Place[]): void {
    if (!node.startsWith('/')) {
      if (way[0]!.watches.length === 0) this.#special.delete(node)
      return
    }
    for (let depth = way.length - 1; depth > 0; depth--) {
      const place = way[depth]!
      if (place.watches.length > 0 || place.below.size > 1) return
      const { below, path } = way[depth - 1]!
      const name = nameBehind(path, place.path)
      const [only] = place.below.values()
      if (only) below.set(name, only)
      else below.delete(name)
    }
  }

  removeAll(conn: Connection): void {
    while (conn.watches.length > 0) this.remove(conn.watches.at(-1)!)
  }

  /** Something happened to `name`; with `recurse` also to all below it, whose watches then tell their own path. The oldest connection hears it first. */
  fire(name: string, recurse: boolean): void {
    const hit: Watch[] = []
    collect(hit, this.#root)
    if (name.startsWith('/')) this.#along(hit, name, recurse)
    else {
      const place = this.#special.get(name)
      if (place) collect(hit, place)
    }
    if (hit.length > 1) hit.sort((a, b) => a.conn.serial - b.conn.serial || a.serial - b.serial)
    for (const watch of hit) tell(watch, isChild(name, watch.node) ? name : watch.node)
  }

  /** The watches on the way to `name`, and with `recurse` those below it. */
  #along(hit: Watch[], name: string, recurse: boolean): void {
    let place = this.#root
    while (name.length > 1 && place.path.length < name.length) {
      const next = place.below.get(nameBehind(place.path, name))
      if (!next) return
      if (!isChild(name, next.path)) {
        if (recurse && isChild(next.path, name)) collectAll(hit, [next])
        return
      }
      collect(hit, next)
      place = next
    }
    if (recurse && name !== '/') collectAll(hit, [...place.below.values()])
  }
}

/** The newest go first when a connection ends. */
const take = (list: Watch[], watch: Watch): void => {
  list.splice(list.lastIndexOf(watch), 1)
}

function collect(hit: Watch[], { watches }: Place): void {
  for (let i = 0; i < watches.length; i++) hit.push(watches[i]!)
}

function collectAll(hit: Watch[], left: Place[]): void {
  for (let next = left.pop(); next; next = left.pop()) {
    collect(hit, next)
    for (const below of next.below.values()) left.push(below)
  }
}

/** Queue the event. Whoever may not see the node hears of it all the same: a back end could not learn otherwise that its front end is gone. */
export function tell({ conn, token, hidden }: Watch, path: string): void {
  const shown = path.slice(hidden)
  conn.event(hidden > 0 && shown.startsWith('/') ? shown.slice(1) : shown, token)
}
