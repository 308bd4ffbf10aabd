/**
 * The store as plainly as can be: a Map that is copied for each transaction, permissions and quotas as 3.3's text has them, and what each client is told,
 * in the words of cases.ts. What makes a name, a size or a right is said here once more, so that the daemon's own words are not what it is measured by.
 */
interface ModelNode {
  value: string
  /** As in GET_PERMS: n0, r1, ... */
  perms: readonly string[]
}

/** By path; a Map keeps the order of creation. */
type ModelTree = Map<string, ModelNode>

export interface ModelQuotas {
  readonly entryNb: number
  readonly entrySize: number
  readonly watchNb: number
  readonly transaction: number
}

/** A request about one node. `rest`: what follows the path's NUL. */
export interface Asked {
  readonly op: 'READ' | 'DIR' | 'PERMS' | 'WRITE' | 'MKDIR' | 'RM' | 'CHMOD'
  readonly path: string
  readonly rest: string
}

interface OpenTransaction {
  readonly tree: ModelTree
  readonly generation: number
  /** The daemon was another when it began. */
  readonly lost: boolean
  /** Of `history`, when it began. */
  readonly since: number
  readonly changes: Map<string, boolean>
  readonly entries: Map<number, number>
  readonly asked: { readonly what: Asked; readonly reply: string }[]
}

export interface ModelClient {
  /** Sockets: undefined. */
  readonly domid: number | undefined
  readonly watches: { readonly node: string; readonly token: string; readonly hidden: number }[]
  readonly transactions: Map<number, OpenTransaction>
  lastId: number
  /** What it has been told and has not been asked for. */
  told: string[]
}

/** What a request works on. */
interface View {
  readonly tree: ModelTree
  readonly owned: (domid: number) => number
  readonly charge: (domid: number, more: number) => void
  readonly changed: (path: string, removed: boolean, also: readonly string[]) => void
}

const parent = (path: string): string => path.slice(0, path.lastIndexOf('/')) || '/'
const isBelow = (path: string, top: string): boolean => top === '/' || path === top || path.startsWith(`${top}/`)
const ownerOf = ({ perms }: ModelNode): number => Number(perms[0]!.slice(1))
const copyOf = (tree: ModelTree): ModelTree => new Map([...tree].map(([path, node]) => [path, { ...node }]))
const childrenOf = (tree: ModelTree, path: string): string[] =>
  [...tree.keys()].filter((other) => other !== '/' && parent(other) === path)
const nameOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1)
const sizeOf = (node: ModelNode, names: readonly string[]): number =>
  12 + 8 * node.perms.length + node.value.length + names.reduce((sum, name) => sum + name.length + 1, 0)
const isValid = (path: string): boolean =>
  path.startsWith('/') &&
  (path === '/' || !path.endsWith('/')) &&
  !path.includes('//') &&
  path.length <= 3072 &&
  [...path].every((letter) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-/_@'.includes(letter))

export class Model {
  tree: ModelTree
  generation = 0
  readonly clients = new Map<string, ModelClient>()
  /** Of domains that are introduced: nodes that count. */
  readonly entries = new Map<number, number>()
  /** Whose shutdown has been told. */
  readonly #down = new Set<number>()
  /** Paths that have changed, in order. */
  readonly #history: string[] = []
  readonly #quotas: ModelQuotas
  /** Transactions conflict by what they touch. */
  readonly #merges: boolean
  commits = 0
  conflicts = 0

  constructor(quotas: ModelQuotas, merges: boolean) {
    this.#quotas = quotas
    this.#merges = merges
    this.tree = new Map(['/', '/tool', '/tool/xenstored'].map((path) => [path, { value: '', perms: ['n0'] }]))
  }

  connect(name: string, domid?: number): void {
    this.clients.set(name, { domid, watches: [], transactions: new Map(), lastId: 0, told: [] })
    if (domid === undefined) return
    this.entries.set(domid, 0)
    if (domid !== 0) this.fire('@introduceDomain', false)
  }

  disconnect(name: string): void {
    const { domid } = this.clients.get(name)!
    this.clients.delete(name)
    if (domid === undefined) return
    this.entries.delete(domid)
    this.#down.delete(domid)
    this.fire('@releaseDomain', false)
  }

  /** INTRODUCE of a domain that is introduced. */
  reset(name: string): void {
    const { watches, transactions } = this.clients.get(name)!
    watches.length = 0
    transactions.clear()
  }

  /** Another daemon: transactions can only fail. `all`: the sockets ended, too. */
  restart(all: boolean): void {
    for (const [name, client] of [...this.clients])
      if (all && client.domid === undefined) {
        this.disconnect(name)
        this.connect(name)
      } else
        for (const [id, transaction] of client.transactions) client.transactions.set(id, { ...transaction, lost: true })
  }

  isLost(name: string, id: number): boolean {
    return this.clients.get(name)?.transactions.get(id)?.lost ?? false
  }

  shutDown(domid: number): void {
    if (!this.entries.has(domid) || this.#down.has(domid)) return
    this.#down.add(domid)
    this.fire('@releaseDomain', false)
  }

  resume(domid: number): void {
    this.#down.delete(domid)
  }

  fire(path: string, recurse: boolean): void {
    for (const { told, watches } of this.clients.values())
      for (const { node, token, hidden } of watches) {
        if (!isBelow(path, node) && !(recurse && isBelow(node, path))) continue
        const shown = (isBelow(path, node) ? path : node).slice(hidden)
        told.push(`~${hidden > 0 ? shown.replace(/^\//, '') : shown}|${token}|`)
      }
  }

  #open(name: string, id: number): { client: ModelClient; transaction: OpenTransaction | undefined; lost: boolean } {
    const client = this.clients.get(name)!
    const transaction = client.transactions.get(id)
    const lost = id !== 0 && !transaction
    if (lost) client.told.push('!ENOENT')
    return { client, transaction, lost }
  }

  watch(name: string, id: number, path: string, token: string): void {
    const { client, lost } = this.#open(name, id)
    if (lost) return
    const node = full(client, path)
    const hidden = path.startsWith('/') || path.startsWith('@') || node === path ? 0 : node.length - path.length - 1
    if (!path.startsWith('@') && !isValid(node)) client.told.push('!EINVAL')
    else if (client.watches.some((other) => other.node === node && other.token === token)) client.told.push('!EEXIST')
    else if (client.domid && client.watches.length > this.#quotas.watchNb) client.told.push('!EINVAL')
    else {
      client.watches.push({ node, token, hidden })
      client.told.push('OK|', `~${path}|${token}|`)
    }
  }

  unwatch(name: string, id: number, path: string, token: string): void {
    const { client, lost } = this.#open(name, id)
    if (lost) return
    const node = full(client, path)
    const at = client.watches.findIndex((other) => other.node === node && other.token === token)
    if (at >= 0) client.watches.splice(at, 1)
    client.told.push(at >= 0 ? 'OK|' : '!ENOENT')
  }

  start(name: string, id: number): void {
    const { client, transaction, lost } = this.#open(name, id)
    if (lost) return
    if (transaction) client.told.push('!EBUSY')
    else if (client.domid && client.transactions.size > this.#quotas.transaction) client.told.push('!ENOSPC')
    else {
      const { tree, generation } = this
      const since = this.#history.length
      const begun = {
        tree: copyOf(tree),
        generation,
        since,
        lost: false,
        changes: new Map(),
        entries: new Map(),
        asked: [],
      }
      client.transactions.set(++client.lastId, begun)
      client.told.push(`${client.lastId}|`)
    }
  }

  /** `failed`: the daemon has answered EAGAIN, as by the later rule it may where anything near has changed. */
  end(name: string, id: number, commit: boolean, failed: boolean): void {
    const { client, transaction, lost } = this.#open(name, id)
    if (lost) return
    if (!transaction) {
      client.told.push('!ENOENT')
      return
    }
    client.transactions.delete(id)
    if (!commit) client.told.push('OK|')
    else if (this.#fails(client, transaction, failed)) {
      this.conflicts++
      client.told.push('!EAGAIN')
    } else {
      this.commits++
      this.#merge(client, transaction)
      for (const [path, removed] of transaction.changes) this.fire(path, removed)
      this.generation++
      client.told.push('OK|')
    }
  }

  #fails(client: ModelClient, transaction: OpenTransaction, failed: boolean): boolean {
    if (transaction.lost) return true
    if (!this.#merges) return transaction.generation !== this.generation
    return failed && this.#mayFail(client, transaction)
  }

  #mayFail(client: ModelClient, { asked, since }: OpenTransaction): boolean {
    const paths = asked.map(({ what }) => full(client, what.path))
    return this.#history
      .slice(since)
      .some((other) => paths.some((path) => isBelow(path, other) || isBelow(other, path)))
  }

  /** Serialisability: done alone and now it must hear the same, and do the same. */
  #merge(client: ModelClient, { asked, changes }: OpenTransaction): void {
    const again = new Map<string, boolean>()
    const view: View = {
      ...this.#outside(),
      changed: (path, removed, also) => {
        if (!again.has(path)) again.set(path, removed)
        this.#history.push(path, ...also)
      },
    }
    for (const { what, reply } of asked) {
      const alone = this.#answer(client, what, view)
      if (alone !== reply) throw new Error(`not serialisable: ${what.op} ${what.path} was ${reply}, alone ${alone}`)
    }
    if ([...again].join() !== [...changes].join())
      throw new Error(`not serialisable: ${[...changes]}, alone ${[...again]}`)
  }

  /** A request about a node. */
  ask(name: string, id: number, what: Asked): void {
    const { client, transaction, lost } = this.#open(name, id)
    if (lost) return
    const reply = this.#answer(client, what, transaction ? this.#inside(transaction) : this.#outside())
    transaction?.asked.push({ what, reply })
    client.told.push(reply)
  }

  #outside(): View {
    const { entries } = this
    return {
      tree: this.tree,
      owned: (domid) => entries.get(domid) ?? 0,
      charge: (domid, more) => {
        const now = entries.get(domid)
        if (now !== undefined) entries.set(domid, Math.max(0, now + more))
      },
      changed: (path, removed, also) => {
        this.generation++
        this.#history.push(path, ...also)
        this.fire(path, removed)
      },
    }
  }

  #inside({ tree, changes, entries }: OpenTransaction): View {
    return {
      tree,
      owned: (domid) => (this.entries.get(domid) ?? 0) + (entries.get(domid) ?? 0),
      charge: (domid, more) => entries.set(domid, (entries.get(domid) ?? 0) + more),
      changed: (path, removed) => {
        if (!changes.has(path)) changes.set(path, removed)
      },
    }
  }

  #answer(client: ModelClient, { op, path: written, rest }: Asked, view: View): string {
    const { tree } = view
    const path = full(client, written)
    if (op === 'CHMOD' && rest === '') return '!EINVAL'
    const found = this.#find(
      client,
      tree,
      path,
      op === 'CHMOD' ? 'wo' : ['WRITE', 'MKDIR', 'RM'].includes(op) ? 'w' : 'r',
    )
    if (op === 'RM' && found === '!ENOENT') return tree.has(parent(path)) ? 'OK|' : '!ENOENT'
    if ((op === 'WRITE' || op === 'MKDIR') && found === '!ENOENT') return this.#create(client, view, path, rest)
    if (typeof found === 'string') return found
    const names = childrenOf(tree, path).map(nameOf)
    switch (op) {
      case 'READ':
        return found.value || '_'
      case 'DIR':
        return names.map((name) => `${name}|`).join('') || '_'
      case 'PERMS':
        return found.perms.map((perm) => `${perm}|`).join('')
      case 'MKDIR':
        return 'OK|'
      case 'WRITE':
        if (this.#tooBig(client, { ...found, value: rest }, names)) return '!ENOSPC'
        found.value = rest
        break
      case 'CHMOD': {
        const perms = rest.split('|').slice(0, -1)
        if (perms.some((perm) => !/^[nrwb]\d+$/.test(perm))) return '!EINVAL'
        if (client.domid && Number(perms[0]!.slice(1)) !== ownerOf(found)) return '!EINVAL'
        if (this.#tooBig(client, { ...found, perms }, names)) return '!ENOSPC'
        view.charge(ownerOf(found), -1)
        found.perms = perms
        view.charge(ownerOf(found), 1)
        break
      }
      case 'RM': {
        if (path === '/') return '!EINVAL'
        const above = parent(path)
        const left = childrenOf(tree, above).filter((other) => other !== path)
        if (this.#tooBig(client, tree.get(above)!, left.map(nameOf))) return '!EINVAL'
        for (const [other, node] of [...tree])
          if (isBelow(other, path)) {
            tree.delete(other)
            view.charge(ownerOf(node), -1)
          }
      }
    }
    view.changed(path, op === 'RM', [])
    return 'OK|'
  }

  #create(client: ModelClient, view: View, path: string, value: string): string {
    const { tree } = view
    const made = [path]
    while (!tree.has(parent(made[0]!))) made.unshift(parent(made[0]!))
    const above = parent(made[0]!)
    const { perms } = tree.get(above)!
    const own = client.domid ? [`${perms[0]![0]}${client.domid}`, ...perms.slice(1)] : perms
    if (client.domid && view.owned(client.domid) + made.length > this.#quotas.entryNb) return '!ENOENT'
    const nodes = made.map((at) => ({ value: at === path ? value : '', perms: own }))
    const names = [...childrenOf(tree, above), made[0]!].map(nameOf)
    const tooBig = nodes.some((node, i) => this.#tooBig(client, node, made.slice(i + 1, i + 2).map(nameOf)))
    if (tooBig || this.#tooBig(client, tree.get(above)!, names)) return '!ENOSPC'
    nodes.forEach((node, i) => {
      tree.set(made[i]!, node)
      view.charge(ownerOf(node), 1)
    })
    view.changed(path, false, made)
    return 'OK|'
  }

  #tooBig({ domid }: ModelClient, node: ModelNode, names: readonly string[]): boolean {
    return Boolean(domid) && sizeOf(node, names) >= this.#quotas.entrySize
  }

  #find(client: ModelClient, tree: ModelTree, path: string, wanted: string): ModelNode | string {
    if (!isValid(path)) return '!EINVAL'
    const rights = (node: ModelNode): string => {
      if (!client.domid || ownerOf(node) === client.domid) return 'rwo'
      const [first, ...others] = node.perms
      const letter = (others.find((perm) => Number(perm.slice(1)) === client.domid) ?? first!)[0]!
      return letter === 'b' ? 'rw' : letter
    }
    const node = tree.get(path)
    if (node) return [...wanted].every((right) => rights(node).includes(right)) ? node : '!EACCES'
    let above = parent(path)
    while (!tree.has(above)) above = parent(above)
    return [...wanted].some((right) => rights(tree.get(above)!).includes(right)) ? '!ENOENT' : '!EACCES'
  }

  /** Sorted, a node in each line, as Fold shows it. */
  shown(): string[] {
    return [...this.tree].map(([path, { value, perms }]) => `${path} ${perms.join()} ${value}`).sort()
  }
}

const full = ({ domid }: ModelClient, path: string): string =>
  path.startsWith('/') || path.startsWith('@') || domid === undefined ? path : `/local/domain/${domid}/${path}`
