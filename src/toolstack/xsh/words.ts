/** xsh's command lines: words as a shell's, commands separated by `;` or the line's end, `#` before a comment. No variables, no patterns. */

/** A quote that is not closed. */
export class WordsFault extends Error {}

/** The commands of `text`, each its words. What a pair of quotes holds, and what follows a backslash, is taken as it is. */
export function commandsOf(text: string): string[][] {
  const commands: string[][] = []
  let words: string[] = []
  let word: string | undefined
  const endWord = (): void => {
    if (word !== undefined) words.push(word)
    word = undefined
  }
  const endCommand = (): void => {
    endWord()
    if (words.length > 0) commands.push(words)
    words = []
  }
  for (let at = 0; at < text.length; at++) {
    const c = text[at]!
    if (c === '\n' || c === ';') endCommand()
    else if (c === ' ' || c === '\t' || c === '\r') endWord()
    else if (c === '#' && word === undefined) {
      while (at + 1 < text.length && text[at + 1] !== '\n') at++
    } else if (c === "'" || c === '"') {
      const quoted = endOfQuote(text, at)
      word =
        (word ?? '') + (c === '"' ? text.slice(at + 1, quoted).replace(/\\(["\\])/g, '$1') : text.slice(at + 1, quoted))
      at = quoted
    } else if (c === '\\' && at + 1 < text.length) word = (word ?? '') + text[++at]!
    else word = (word ?? '') + c
  }
  endCommand()
  return commands
}

/** Where the quote that begins at `at` is closed. */
function endOfQuote(text: string, at: number): number {
  const quote = text[at]!
  for (let end = at + 1; end < text.length; end++) {
    if (text[end] === quote) return end
    if (quote === '"' && text[end] === '\\') end++
  }
  throw new WordsFault(`unexpected end of line while looking for matching \`${quote}'`)
}

/** An absolute path for what was typed where `cwd` is: `.` and `..` as in a file system; `@introduceDomain` and its like as they are. */
export function resolve(cwd: string, typed: string): string {
  if (typed.startsWith('@')) return typed
  const parts: string[] = []
  for (const part of (typed.startsWith('/') ? typed : `${cwd}/${typed}`).split('/')) {
    if (part === '..') parts.pop()
    else if (part !== '' && part !== '.') parts.push(part)
  }
  return `/${parts.join('/')}`
}

export const join = (path: string, name: string): string => (path === '/' ? `/${name}` : `${path}/${name}`)
