import { parseNumber, skipTo } from '../text.ts'
import type { Command } from './command.ts'

const NAMES = [
  'black',
  'blue',
  'green',
  'cyan',
  'red',
  'magenta',
  'brown',
  'light-gray',
  'dark-gray',
  'light-blue',
  'light-green',
  'light-cyan',
  'light-red',
  'light-magenta',
  'yellow',
  'white',
]
const BACKGROUNDS = 8
const BLINK = 0x80
const BLINK_PREFIX = 'blink-'

/** `blink-yellow/blue` or a number, as a VGA attribute. Error 23 for what is neither. */
function attribute(text: string): number {
  const [word = ''] = text.split(/[ \t]/)
  const [front = '', back] = word.split('/')
  const blink = front.startsWith(BLINK_PREFIX)
  const foreground = NAMES.indexOf(blink ? front.slice(BLINK_PREFIX.length) : front)
  const background = NAMES.indexOf(back ?? '')
  if (foreground < 0 || background < 0 || background >= BACKGROUNDS) return parseNumber(text).value
  return (blink ? BLINK : 0) | foreground | (background << 4)
}

export const color: Command = {
  name: 'color',
  usage: 'color NORMAL [HIGHLIGHT]',
  help:
    'Change the menu colors. The color NORMAL is used for most' +
    ' lines in the menu, and the color HIGHLIGHT is used to highlight the' +
    ' line where the cursor points. If you omit HIGHLIGHT, then the' +
    ' inverted color of NORMAL is used for the highlighted line.' +
    ' The format of a color is "FG/BG". FG and BG are symbolic color names.' +
    ' A symbolic color name must be one of these: black, blue, green,' +
    ' cyan, red, magenta, brown, light-gray, dark-gray, light-blue,' +
    ' light-green, light-cyan, light-red, light-magenta, yellow and white.' +
    ' But only the first eight names can be used for BG. You can prefix' +
    ' "blink-" to FG if you want a blinking foreground color.',
  listed: true,
  run(grub, arg) {
    const normal = attribute(arg)
    const rest = skipTo(arg)
    const highlight = rest === '' ? (normal >> 4) | ((normal & 0xf) << 4) : attribute(rest)
    grub.tty.current.setColors?.(normal & 0xff, highlight & 0xff)
  },
}
