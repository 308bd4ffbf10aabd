/** The settings of VHS (charmbracelet/vhs, parser/parser.go and command.go), with the values that each takes. */
import type { Token } from './lexer.ts'

type ValueKind = 'integer' | 'number' | 'percent' | 'text' | 'theme' | 'bar' | 'colour' | 'boolean'

/** Settings that only change the picture. */
export const PICTURE_SETTINGS: Readonly<Record<string, ValueKind>> = {
  Shell: 'text',
  FontFamily: 'text',
  FontSize: 'integer',
  Framerate: 'integer',
  PlaybackSpeed: 'number',
  Height: 'integer',
  Width: 'integer',
  LetterSpacing: 'number',
  LineHeight: 'number',
  Padding: 'integer',
  Theme: 'theme',
  LoopOffset: 'percent',
  MarginFill: 'colour',
  Margin: 'integer',
  WindowBar: 'bar',
  WindowBarSize: 'integer',
  BorderRadius: 'integer',
  CursorBlink: 'boolean',
}

const BARS = ['', 'Colorful', 'ColorfulRight', 'Rings', 'RingsRight']

const isText = (token: Token): boolean => token.kind === 'string' || token.kind === 'word'

/** What is wrong with `token` as a value of that kind; undefined when nothing is. */
export function valueError(kind: ValueKind, token: Token): string | undefined {
  const { text } = token
  switch (kind) {
    case 'integer':
      return /^\d+$/.test(text) && token.kind !== 'word' ? undefined : `expected a whole number, got ${text}`
    case 'number':
    case 'percent':
      return /^(\d+\.?\d*|\.\d+)$/.test(text) ? undefined : `expected a number, got ${text}`
    case 'text':
      return isText(token) ? undefined : `expected text, got ${text}`
    case 'theme':
      return isText(token) || token.kind === 'json' ? undefined : `expected a theme, got ${text}`
    case 'bar':
      return isText(token) && BARS.includes(text) ? undefined : `${text} is not a valid bar style.`
    case 'colour':
      if (!isText(token)) return `expected a colour or file, got ${text}`
      return text.startsWith('#') && !/^#[0-9a-fA-F]{6}$/.test(text) ? `"${text}" is not a valid color.` : undefined
    case 'boolean':
      return text === 'true' || text === 'false' ? undefined : 'expected boolean value.'
  }
}
