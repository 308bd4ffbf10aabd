/** tsort(1). */

import { withInput } from '../coreutils/inputs.ts'
import { quote } from '../libc/quote.ts'
import { readAll } from '../libc/stdio.ts'
import { Exit, UsageError, utility } from '../libc/utility.ts'

interface Node {
  readonly name: string
  before: number
  readonly after: Node[]
  done: boolean
}

export const tsort = utility({
  name: 'tsort',
  usage: 'tsort [OPTION] [FILE]',
  help: `Write totally ordered list consistent with the partial ordering in FILE.
With no FILE, or when FILE is -, read standard input.

      --help     display this help and exit
      --version  output version information and exit

Report bugs to <bug-coreutils@gnu.org>.`,
  *main(run) {
    const [name = '-', extra] = run.operands
    if (extra !== undefined) throw new UsageError(`extra operand ${quote(extra)}`)
    const words = (yield* withInput(name, readAll)).split(/[ \t\n]+/).filter(Boolean)
    if (words.length % 2 !== 0) throw new Exit(1, `${name}: input contains an odd number of tokens`)
    const nodes = new Map<string, Node>()
    const node = (word: string): Node => {
      let found = nodes.get(word)
      if (!found) {
        found = { name: word, before: 0, after: [], done: false }
        nodes.set(word, found)
      }
      return found
    }
    for (let i = 0; i < words.length; i += 2) {
      const [from, to] = [node(words[i]!), node(words[i + 1]!)]
      if (from === to) continue
      from.after.push(to)
      to.before++
    }
    // In the order of names, as the tree is walked that the original keeps them in.
    const all = [...nodes.values()].sort((a, b) => (a.name < b.name ? -1 : 1))
    let left = all.length
    while (left > 0) {
      const queue = all.filter((candidate) => !candidate.done && candidate.before === 0)
      if (queue.length === 0) {
        yield* run.complain(`${name}: input contains a loop:`)
        const loop = findLoop(all)
        for (const member of loop) yield* run.complain(member.name)
        // The loop is broken at its last edge, and the sorting goes on.
        const [first, last] = [loop[0]!, loop.at(-1)!]
        last.after.splice(last.after.indexOf(first), 1)
        first.before--
        continue
      }
      for (let at = 0; at < queue.length; at++) {
        const next = queue[at]!
        next.done = true
        left--
        yield* run.out.line(next.name)
        // Relations that came last are on top of the original's list.
        for (const later of next.after.toReversed()) if (--later.before === 0) queue.push(later)
      }
    }
    return run.status
  },
})

function findLoop(nodes: readonly Node[]): Node[] {
  const path: Node[] = []
  let at = nodes.find((candidate) => !candidate.done && candidate.after.some((next) => !next.done))!
  // Whoever is left has a predecessor that is left: walk against the arrows until one comes again.
  for (;;) {
    const seen = path.indexOf(at)
    if (seen >= 0) return [path[seen]!, ...path.slice(seen + 1).reverse()]
    path.push(at)
    at = nodes.find((candidate) => !candidate.done && candidate.after.includes(at))!
  }
}
