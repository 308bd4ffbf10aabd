/**
 * ld: object files to the code of one image. Links what the entry reaches, in the order of the imports, so that the same objects
 * always make the same bytes. Errors read as gcc's and GNU ld's.
 */
import type { ImageCode, ImageModule } from '#abi/image.ts'
import { CompileError } from './diagnostics.ts'
import type { ObjectFile } from './object-file.ts'
import { verify } from './verify.ts'

const FAULTS_MAX = 20

/** `objects` by their paths. Throws CompileError; also for what `verify` refuses. */
export function ld(objects: ReadonlyMap<string, ObjectFile>, entry: string): ImageCode {
  const faults: string[] = []
  const order: ObjectFile[] = []
  const index = new Map<string, number>()
  const seen = new Set<string>()

  /** Depth first, dependencies before dependants, without recursion: the depth of a tree of sources is not ours to bound. */
  const visit = (first: ObjectFile): void => {
    const path: { object: ObjectFile; next: number }[] = [{ object: first, next: 0 }]
    seen.add(first.path)
    for (let top = path.at(-1); top; top = path.at(-1)) {
      const wanted = top.object.imports[top.next++]
      if (!wanted) {
        index.set(top.object.path, order.length)
        order.push(top.object)
        path.pop()
        continue
      }
      const target = objects.get(resolveSpecifier(top.object.path, wanted.specifier) ?? '')
      if (!target) {
        faults.push(
          `${top.object.path}:${wanted.line}:${wanted.column}: fatal error: ${wanted.specifier}: No such file or directory`,
        )
        continue
      }
      for (const { name, line } of wanted.names) {
        if (!target.exports.includes(name)) faults.push(`${top.object.path}:${line}: undefined reference to '${name}'`)
      }
      if (!seen.has(target.path)) {
        seen.add(target.path)
        path.push({ object: target, next: 0 })
      }
    }
  }

  const start = objects.get(entry)
  if (!start) throw new CompileError([`ld: cannot find ${entry}: No such file or directory`])
  visit(start)
  const modules = order.map((object): ImageModule => {
    const imports: Record<string, number> = {}
    for (const { specifier } of object.imports) {
      const at = index.get(resolveSpecifier(object.path, specifier) ?? '')
      if (at !== undefined) imports[specifier] = at
    }
    return { path: object.path, code: object.code, imports }
  })
  for (const { path, code } of modules) {
    for (const { line, text } of verify(code, path)) faults.push(`${path}:${line}: error: ${text}`)
  }
  if (faults.length > 0) throw new CompileError(faults.slice(0, FAULTS_MAX))
  return { entry: modules.length - 1, modules }
}

/** The path that `specifier` means in `from`; undefined where it leaves the tree or names a package. */
export function resolveSpecifier(from: string, specifier: string): string | undefined {
  if (specifier.startsWith('#')) return specifier.slice(1)
  if (!specifier.startsWith('./') && !specifier.startsWith('../')) return undefined
  const parts = from.split('/').slice(0, -1)
  for (const part of specifier.split('/')) {
    if (part === '.') continue
    if (part === '..') {
      if (parts.pop() === undefined) return undefined
    } else parts.push(part)
  }
  return parts.join('/')
}
