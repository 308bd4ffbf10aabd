/**
 * Manual pages for the default disk, made of the programs' own records: what --help says is what `man` shows. Plain man(7): .TH .SH .PP .TP
 * .B .nf .fi, which any formatter reads. And the index that apropos and whatis search, as makewhatis writes it.
 */
import type { Package, Program } from '#user/libc/program.ts'

export interface ManFile {
  readonly path: string
  readonly text: string
}

/** One page for each installed name, and /var/cache/man/whatis. Package by package: what is alike lies together, and packs well. */
export function manPages(packages: readonly Package[]): ManFile[] {
  const pages = new Map<string, string>()
  const index: string[] = []
  for (const pkg of packages)
    for (const [path, program] of pkg.programs) {
      const name = path.slice(path.lastIndexOf('/') + 1)
      const section = /\/sbin\//.test(path) ? 8 : 1
      const page = `/usr/share/man/man${section}/${name}.${section}`
      // The same program under two paths, as /bin/x and /usr/bin/x, has one page.
      if (pages.has(page) || !/^[\w.+-]+$/.test(name)) continue
      pages.set(page, manPage(name, section, pkg.name, program()))
      index.push(`${name} (${section}) - ${summary(program())}`)
    }
  const files = [...pages].map(([path, text]) => ({ path, text }))
  files.push({ path: '/var/cache/man/whatis', text: `${index.sort().join('\n')}\n` })
  return files
}

/** What a page needs not say: it is a page. */
const BOILERPLATE =
  /^\s*(?:-\S, )?--(?:help|version)\s.*$|^\s*--help, --version.*$|^Report bugs to .*$|^usage: .*$|^Usage: .*$/gim

const body = ({ help }: Program): string =>
  help
    .replace(BOILERPLATE, '')
    .replace(/\n{3,}/g, '\n\n')
    .trim()

/** The first sentence, without its full stop. */
export function summary(program: Program): string {
  const text = body(program)
  // A help that begins with its options says nothing in words.
  if (text === '' || /^\s*-/.test(text)) return program.usage.split('\n')[0]!
  const first = text.split(/\n\s*\n|\n(?=\s+\S)/)[0]!.replace(/\s+/g, ' ')
  return (/^(.*?[.;:])(?: |$)/.exec(first)?.[1] ?? first).replace(/[.;:]$/, '')
}

/** roff's own characters. A line that begins with a dot or a quote would be a request. */
const escaped = (text: string): string =>
  text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replace(/^([.'])/gm, '\\&$1')

export function manPage(name: string, section: number, from: string, program: Program): string {
  const lines = [`.TH ${name.toUpperCase()} ${section} "" "${from}"`, '.SH NAME']
  lines.push(`${escaped(name)} \\- ${escaped(summary(program))}`, '.SH SYNOPSIS')
  program.usage.split('\n').forEach((form, i) => {
    const [command = name, ...rest] = form.trim().split(' ')
    if (i > 0) lines.push('.br')
    lines.push(`.B ${escaped(command)}`)
    if (rest.length > 0) lines.push(escaped(rest.join(' ')))
  })
  lines.push('.SH DESCRIPTION', ...description(body(program)))
  return `${lines.join('\n')}\n`
}

/** An option's row: what it is, two blanks or more, what it does. */
const OPTION = /^\s*(-\S.*?)(?: {2,}|\t+|: )(\S.*)$/

/** Paragraphs are filled, options become tagged paragraphs, everything else that is indented stays as it is. */
function description(text: string): string[] {
  const lines: string[] = []
  let state: 'start' | 'text' | 'option' | 'verbatim' = 'start'
  const leave = (): void => {
    if (state === 'verbatim') lines.push('.fi')
  }
  for (const line of text.split('\n')) {
    const option = OPTION.exec(line)
    if (line.trim() === '') {
      leave()
      state = 'start'
    } else if (option || /^\s+-\S+$/.test(line)) {
      leave()
      lines.push('.TP', `.B ${escaped(option?.[1] ?? line.trim())}`)
      if (option) lines.push(escaped(option[2]!))
      state = 'option'
    } else if (/^\s/.test(line)) {
      if (state === 'option') lines.push(escaped(line.trim()))
      else {
        if (state !== 'verbatim') lines.push('.PP', '.nf')
        lines.push(escaped(line.trimEnd()))
        state = 'verbatim'
      }
    } else {
      leave()
      if (state !== 'text') lines.push('.PP')
      lines.push(escaped(line))
      state = 'text'
    }
  }
  leave()
  return lines
}
