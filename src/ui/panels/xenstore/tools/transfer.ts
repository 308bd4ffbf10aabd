/**
 * A subtree as a file, and back. The file is JSON; a value that is no text goes as base64, so that every byte comes back. What comes from outside is
 * trusted in nothing: its shape and its sizes are checked before anything is done with it.
 */
import { byteString, bytesOfString, utf8Decode, utf8Encode } from '#lib/utf8.ts'
import { chmodCommand, writeCommand } from '../commands.ts'
import { childPath } from '../rows.ts'
import type { Comparable } from './diff.ts'
import type { ToolsKey } from './use-words.ts'

const FORMAT = 'xenstore-subtree'
const VERSION = 1
export const FILE_BYTES_MAX = 32 << 20
export const NODES_MAX = 20_000
/** XENSTORE_PAYLOAD_MAX and XENSTORE_ABS_PATH_MAX: nothing longer can be said to the daemon. */
const VALUE_MAX = 4096
const PATH_MAX = 3072
const PERMISSIONS_MAX = 256

export interface Subtree {
  /** Where it was. */
  readonly path: string
  readonly root: Comparable
}

/** What is wrong with a file, in words that a person may read. */
export class FileFault extends Error {
  override readonly name = 'FileFault'
  readonly key: ToolsKey
  readonly values: Readonly<Record<string, string | number>>

  constructor(key: ToolsKey, values: Readonly<Record<string, string | number>> = {}) {
    super(key)
    this.key = key
    this.values = values
  }
}

interface FileNode {
  /** Below the exported node; empty for itself. */
  readonly path: string
  readonly value?: string
  readonly base64?: string
  readonly perms: string
}

function* nodesOf(node: Comparable, path: string): Generator<readonly [path: string, node: Comparable]> {
  yield [path, node]
  for (const [name, child] of node.children) yield* nodesOf(child, path === '' ? name : `${path}/${name}`)
}

const joined = (base: string, path: string): string => (path === '' ? base : childPath(base, path))

function valueFields(value: string): { readonly value: string } | { readonly base64: string } {
  const text = utf8Decode(bytesOfString(value))
  return byteString(utf8Encode(text)) === value ? { value: text } : { base64: btoa(value) }
}

export function exportJson({ path, root }: Subtree): string {
  const nodes: FileNode[] = []
  for (const [at, node] of nodesOf(root, '')) nodes.push({ path: at, ...valueFields(node.value), perms: node.perms })
  const lines = nodes.map((node) => `    ${JSON.stringify(node)}`).join(',\n')
  return `{\n  "format": "${FORMAT}",\n  "version": ${VERSION},\n  "path": ${JSON.stringify(path)},\n  "nodes": [\n${lines}\n  ]\n}\n`
}

/** For a shell in dom0. */
export function exportCommands({ path, root }: Subtree): string {
  const lines = ['#!/bin/sh', `# XenStore, ${path}`]
  for (const [at, node] of nodesOf(root, '')) {
    const to = joined(path, at)
    lines.push(writeCommand(to, node.value), chmodCommand(to, node.perms.split(',')))
  }
  return `${lines.join('\n')}\n`
}

export const fileName = (path: string, ending: string): string =>
  `xenstore${path.replaceAll('/', '-').replace(/-$/, '')}.${ending}`

const isRecord = (thing: unknown): thing is Readonly<Record<string, unknown>> =>
  typeof thing === 'object' && thing !== null && !Array.isArray(thing)

/** xenstored's is_valid_nodename, of a path from the root. */
export const isPath = (path: string): boolean =>
  path.length <= PATH_MAX && (path === '/' || /^(\/[A-Za-z0-9\-_@]+)+$/.test(path))

/** A node whose children may still be added. */
interface Growing extends Comparable {
  readonly children: Map<string, Growing>
}

export function parseFile(text: string): Subtree {
  if (text.length > FILE_BYTES_MAX) throw new FileFault('fault.large', { mib: FILE_BYTES_MAX >> 20 })
  let file: unknown
  try {
    file = JSON.parse(text)
  } catch {
    throw new FileFault('fault.json')
  }
  if (!isRecord(file) || file['format'] !== FORMAT) throw new FileFault('fault.format')
  if (file['version'] !== VERSION) throw new FileFault('fault.version', { version: brief(file['version']) })
  const { path, nodes } = file
  if (typeof path !== 'string' || !isPath(path)) throw new FileFault('fault.path', { path: brief(path) })
  if (!Array.isArray(nodes) || nodes.length === 0) throw new FileFault('fault.nodes')
  if (nodes.length > NODES_MAX) throw new FileFault('fault.many', { count: nodes.length, max: NODES_MAX })
  let root: Growing | undefined
  nodes.forEach((given: unknown, i) => {
    const [at, node] = checkedNode(given, i, path)
    if (!root) {
      if (at !== '') throw new FileFault('fault.first')
      root = node
      return
    }
    const names = at.split('/')
    const name = names.pop()!
    let parent: Growing | undefined = root
    for (const step of names) parent = parent?.children.get(step)
    if (!parent) throw new FileFault('fault.parent', { n: i, path: brief(at) })
    if (at === '' || parent.children.has(name)) throw new FileFault('fault.twice', { n: i, path: brief(at) })
    parent.children.set(name, node)
  })
  return { path, root: root! }
}

/** Something from a file, short enough to be shown. */
function brief(thing: unknown): string {
  const text = JSON.stringify(thing) ?? 'undefined'
  return text.length > 60 ? `${text.slice(0, 60)}…` : text
}

function checkedNode(given: unknown, n: number, base: string): readonly [path: string, node: Growing] {
  if (!isRecord(given)) throw new FileFault('fault.node', { n })
  const { path, perms } = given
  if (typeof path !== 'string' || !isPath(joined(base, path))) throw new FileFault('fault.at', { n, path: brief(path) })
  if (typeof perms !== 'string' || !arePermissions(perms))
    throw new FileFault('fault.perms', { n, perms: brief(perms) })
  const value = bytesOfNode(given)
  if (value === undefined) throw new FileFault('fault.value', { n })
  if (value.length > VALUE_MAX) throw new FileFault('fault.long', { n, count: value.length, max: VALUE_MAX })
  return [path, { value, perms, children: new Map() }]
}

function arePermissions(text: string): boolean {
  const words = text.split(',')
  return words.length <= PERMISSIONS_MAX && words.every((word) => /^[nrwb]\d{1,5}$/.test(word))
}

function bytesOfNode({ value, base64 }: Readonly<Record<string, unknown>>): string | undefined {
  if (base64 === undefined) return typeof value === 'string' ? byteString(utf8Encode(value)) : undefined
  if (value !== undefined || typeof base64 !== 'string') return undefined
  try {
    return atob(base64)
  } catch {
    return undefined
  }
}
