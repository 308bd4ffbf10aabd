/** What a listener makes of the access trace's lines: path to permissions and value. It refuses a line that does not fit what came before. */
import { unsanitise } from '#toolstack/xenstore/escape.ts'

export class Fold {
  readonly nodes = new Map<string, string>()

  readonly line = (line: string): void => {
    if (!/^[ -~\t]*\n$/.test(line)) throw new Error(`no line of an access trace: ${JSON.stringify(line)}`)
    const [what, , , path = '', perms = '', value = ''] = line.slice(0, -1).split('\t')
    if (what === 'new') this.nodes.clear()
    else if (what === 'rm') {
      for (const other of this.nodes.keys())
        if (other === path || other.startsWith(`${path}/`)) this.nodes.delete(other)
    } else if (what === 'set') {
      if (path !== '/' && !this.nodes.has(path.slice(0, path.lastIndexOf('/')) || '/'))
        throw new Error(`${path} is set before what is above it`)
      this.nodes.set(path, `${perms} ${unsanitise(value)}`)
    } else if (what !== 'conn') throw new Error(`what is ${JSON.stringify(line)}?`)
  }

  lines(text: string): void {
    for (const line of text.split('\n').slice(0, -1)) this.line(`${line}\n`)
  }

  /** Sorted, a node in each line. */
  shown(): string[] {
    return [...this.nodes].map(([path, rest]) => `${path} ${rest}`).sort()
  }
}
