/** One row of a differential test: a piece of shell that Debian's dash and coreutils ran once, and ours runs now. */
export interface Snippet {
  /** Unique within its file. */
  readonly name: string
  /** Run by `sh -c` in an empty directory, LC_ALL=C, TZ=UTC, umask 022, as root, with nothing else in the environment than PATH and HOME. */
  readonly sh: string
  readonly stdin?: string
  /** Files in that directory, by relative path. */
  readonly files?: Readonly<Record<string, string>>
  /** Compare standard error too. Without it, only whether there was any. */
  readonly stderr?: true
}

/** `name: script` for rows that need no more. */
export const snippets = (rows: Readonly<Record<string, string | Omit<Snippet, 'name'>>>): Snippet[] =>
  Object.entries(rows).map(([name, row]) => (typeof row === 'string' ? { name, sh: row } : { name, ...row }))
