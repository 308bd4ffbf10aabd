/**
 * Which directories are open: all are, or none is, but for some. Those are kept as a tree of names, so that it is known, too, below which directory all
 * is alike.
 */
export interface Mark {
  /** This one is not as the rest is. */
  isOther: boolean
  /** Below it there are others; never empty. */
  below: Map<string, Mark> | undefined
}

const namesOf = (path: string): string[] => (path === '/' ? [] : path.slice(1).split('/'))

export class OpenPaths {
  /** What those are that have no mark. */
  readonly rest: boolean
  readonly root: Mark = { isOther: false, below: undefined }
  #others = 0

  constructor(rest: boolean, others: readonly string[] = []) {
    this.rest = rest
    for (const path of others) this.set(path, !rest)
  }

  /** How many marks it takes. */
  get others(): number {
    return this.#others
  }

  markAt(path: string): Mark | undefined {
    let mark: Mark | undefined = this.root
    for (const name of namesOf(path)) mark = mark?.below?.get(name)
    return mark
  }

  isOpen(mark: Mark | undefined): boolean {
    return this.rest !== (mark?.isOther ?? false)
  }

  has(path: string): boolean {
    return this.isOpen(this.markAt(path))
  }

  set(path: string, open: boolean): void {
    if (this.has(path) === open) return
    const names = namesOf(path)
    if (open === this.rest) {
      this.#others--
      unmark(this.root, names, 0)
      return
    }
    this.#others++
    let mark = this.root
    for (const name of names) {
      mark.below ??= new Map()
      let next = mark.below.get(name)
      if (!next) {
        next = { isOther: false, below: undefined }
        mark.below.set(name, next)
      }
      mark = next
    }
    mark.isOther = true
  }

  /** Of the directories above `path`, the root left out, the first that is shut. */
  firstShut(path: string): string | undefined {
    let mark: Mark | undefined = this.root
    for (let from = 1; ; ) {
      const end = path.indexOf('/', from)
      if (end < 0) return undefined
      mark = mark?.below?.get(path.slice(from, end))
      if (!this.isOpen(mark)) return path.slice(0, end)
      from = end + 1
    }
  }

  /** The same without marks of what `isThere` does not know any more. */
  without(isThere: (path: string) => boolean): OpenPaths {
    const kept: string[] = []
    const look = (mark: Mark, path: string): void => {
      for (const [name, next] of mark.below ?? []) {
        const at = `${path}/${name}`
        if (!isThere(at)) continue
        if (next.isOther) kept.push(at)
        look(next, at)
      }
    }
    look(this.root, '')
    return new OpenPaths(this.rest, kept)
  }
}

function unmark(mark: Mark, names: readonly string[], depth: number): void {
  const name = names[depth]
  if (name === undefined) {
    mark.isOther = false
    return
  }
  const next = mark.below?.get(name)
  if (!next) return
  unmark(next, names, depth + 1)
  if (next.isOther || next.below) return
  mark.below!.delete(name)
  if (mark.below!.size === 0) mark.below = undefined
}
