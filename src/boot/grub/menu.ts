/**
 * The menu screen and the entry editor: run_menu of stage2/stage2.c with Red Hat's additions, the key `a` and its own hidden menu
 * (grub-0.97 of CentOS 5). Both are a list in a box; Enter or `b` leads to `bootEntry`.
 */

import type { MenuEntry } from '#abi/pc/menu-lst.ts'
import { readLine } from './cmdline.ts'
import type { Grub } from './grub.ts'
import { ListBox } from './list-box.ts'
import { checkPassword } from './password.ts'
import { forInputUntil, Restart, type Run, SECOND_NS } from './run.ts'
import { runScript } from './script.ts'
import { initPage, printPromptHelp, runCommandLine } from './shell.ts'
import { DISP, KEY } from './terminal/terminal.ts'
import { isSpace, skipTo } from './text.ts'

/** NEW_HEAPSIZE: what fits a line of an entry. */
const ENTRY_LINE_BYTES = 1501
const PASSWORD_BYTES = 31
const COUNTDOWN_COLUMN = 3
const COUNTDOWN_ROW = 22
const COUNTDOWN_BLANK = ' '.repeat(68)
const PASSWORD_ROW = 21

const is = (key: number, c: string): boolean => key === c.charCodeAt(0)
const isEnter = (key: number): boolean => key === KEY.newline || key === KEY.enter || key === KEY.right

const MENU_HELP = `\
      Press enter to boot the selected OS, 'e' to edit the
      commands before booting, 'a' to modify the kernel arguments
      before booting, or 'c' for a command-line.`
const LOCKED_HELP = `\
      Press enter to boot the selected OS or 'p' to enter a
      password to unlock the next set of features.`
const EDITOR_HELP = `\
      Press 'b' to boot, 'e' to edit the selected command in the
      boot sequence, 'c' for a command-line, 'o' to open a new line
      after ('O' for before) the selected line, 'd' to remove the
      selected line, or escape to go back to the main menu.`

const isLocked = ({ password, authorised }: Grub): boolean => password !== undefined && !authorised

const secondOf = (grub: Grub): number => Math.floor(grub.metal.now() / SECOND_NS)

/** Wait for a key or the next full second of the clock; true when a key waits. */
function* keyWithinSecond(grub: Grub): Run<boolean> {
  if (grub.tty.hasKey()) return true
  yield forInputUntil((secondOf(grub) + 1) * SECOND_NS)
  return grub.tty.hasKey()
}

/** The whole screen, header to help. */
function* drawScreen(grub: Grub, box: ListBox, help: string): Run {
  const { tty } = grub
  yield* initPage(grub)
  tty.showCursor(false)
  yield* box.drawFrame()
  const [up, down] = [String.fromCharCode(DISP.up), String.fromCharCode(DISP.down)]
  yield* tty.print(`\n      Use the ${up} and ${down} keys to select which entry is highlighted.\n`)
  yield* tty.print(isLocked(grub) ? LOCKED_HELP : help)
  if (tty.dumb) yield* tty.print(`\n\nThe selected entry is ${box.selected} `)
  else yield* box.draw()
}

/** Show the menu for ever. Leaves by a jump, or by `Restart`. */
export function* runMenu(grub: Grub, entries: readonly MenuEntry[], defaultEntry: number): Run {
  const titles = entries.map(({ title }) => title)
  const box = new ListBox(grub.tty, titles, defaultEntry)
  for (;;) {
    // Meanwhile the command line may have chosen a terminal of another kind.
    box.select(box.selected)
    if (grub.timeout === undefined) grub.showMenu = true
    if (!grub.showMenu && (yield* hiddenCountdown(grub, titles[box.selected]!))) {
      yield* bootFromMenu(grub, entries, box)
      continue
    }
    yield* drawScreen(grub, box, MENU_HELP)
    const lines = yield* chooseEntry(grub, entries, box)
    if (lines === 'selected') yield* bootFromMenu(grub, entries, box)
    else if (lines !== undefined) yield* bootCommandList(grub, lines)
  }
}

/** Red Hat's `hiddenmenu`: any key brings the menu. True when the time was up. */
function* hiddenCountdown(grub: Grub, title: string): Run<boolean> {
  const { tty } = grub
  yield* tty.print('\rPress any key to enter the menu\n\n\n')
  for (let shown = -1; ; ) {
    if (tty.hasKey()) {
      yield* tty.key()
      grub.timeout = undefined
      grub.showMenu = true
      return false
    }
    if (secondOf(grub) !== shown) {
      shown = secondOf(grub)
      if (grub.timeout === 0) {
        grub.timeout = undefined
        return true
      }
      yield* tty.print(`\rBooting ${title} in ${grub.timeout} seconds...`)
      grub.timeout!--
    }
    yield* keyWithinSecond(grub)
  }
}

/** Count down once a second until a key comes. True when the time was up. */
function* countdown(grub: Grub, box: ListBox): Run<boolean> {
  const { tty } = grub
  for (let shown = -1; grub.timeout !== undefined; ) {
    if (secondOf(grub) !== shown) {
      shown = secondOf(grub)
      if (grub.timeout <= 0) {
        grub.timeout = undefined
        return true
      }
      if (tty.dumb)
        yield* tty.print(`\r    Entry ${box.selected} will be booted automatically in ${grub.timeout} seconds.   `)
      else {
        yield* tty.goto(COUNTDOWN_COLUMN, COUNTDOWN_ROW)
        yield* tty.print(`The highlighted entry will be booted automatically in ${grub.timeout} seconds.    `)
        yield* box.park()
      }
      grub.timeout--
    }
    if (yield* keyWithinSecond(grub)) return false
  }
  return false
}

/** Wait for a key; the first one ends the countdown and, with it, the fallback. */
function* nextKey(grub: Grub, box: ListBox): Run<number> {
  const { tty } = grub
  if (tty.dumb) yield* tty.print(`\r    Highlighted entry is ${box.selected}: `)
  const key = yield* tty.key()
  if (grub.timeout === undefined) return key
  if (tty.dumb) yield* tty.put(13)
  else yield* tty.goto(COUNTDOWN_COLUMN, COUNTDOWN_ROW)
  yield* tty.print(COUNTDOWN_BLANK)
  grub.timeout = undefined
  grub.fallback = undefined
  yield* box.park()
  return key
}

/**
 * Keys on the menu screen: `selected` to boot the selected entry, lines to boot instead of it, undefined to draw the screen anew.
 */
function* chooseEntry(
  grub: Grub,
  entries: readonly MenuEntry[],
  box: ListBox,
): Run<'selected' | readonly string[] | undefined> {
  if (yield* countdown(grub, box)) return 'selected'
  for (;;) {
    const key = yield* nextKey(grub, box)
    yield* box.key(key)
    if (isEnter(key)) return 'selected'
    if (isLocked(grub)) {
      if (!is(key, 'p')) continue
      yield* askPassword(grub)
      return undefined
    }
    const { commands } = entries[box.selected]!
    if (is(key, 'e')) {
      yield* editEntry(grub, commands)
      return undefined
    }
    if (is(key, 'a')) return yield* appendArguments(grub, commands)
    if (is(key, 'c')) {
      yield* runCommandLine(grub, false)
      return undefined
    }
  }
}

/** The key `p`. Throws Restart when the password leads to another menu file. */
function* askPassword(grub: Grub): Run {
  const { tty, password } = grub
  if (tty.dumb) yield* tty.print('\r' + ' '.repeat(36))
  else yield* tty.goto(1, PASSWORD_ROW)
  const entered = yield* readLine(grub, { prompt: ' Password: ', max: PASSWORD_BYTES, mask: '*' })
  if (!checkPassword(entered ?? '', password!)) {
    yield* tty.print('Failed!\n      Press any key to continue...')
    yield* tty.key()
  } else if (password!.file === '') grub.authorised = true
  else {
    grub.configFile = password!.file
    grub.authorised = false
    throw new Restart()
  }
}

/** The key `a`: the arguments of the entry's kernel. The lines to boot, or undefined after Esc or without a kernel. */
function* appendArguments(grub: Grub, commands: readonly string[]): Run<readonly string[] | undefined> {
  const index = commands.findIndex((line) => line.startsWith('kernel') && isSpace(line[6]))
  const line = commands[index]
  if (line === undefined) return undefined
  const args = skipTo(skipTo(line))
  yield* grub.tty.clear()
  yield* printPromptHelp(grub, 'edit')
  const options = { prompt: 'grub append> ', initial: args, max: ENTRY_LINE_BYTES, readline: true }
  const edited = yield* readLine(grub, options)
  if (edited === undefined) return undefined
  const kernel = line.slice(0, line.length - args.length)
  return commands.with(index, (isSpace(kernel.at(-1)) ? kernel : kernel + ' ') + edited)
}

/** The editor of an entry's lines; returns after Esc. What is changed lasts until then. */
function* editEntry(grub: Grub, commands: readonly string[]): Run {
  const lines = [...commands]
  const box = new ListBox(grub.tty, lines, 0)
  for (;;) {
    box.select(box.selected)
    yield* drawScreen(grub, box, EDITOR_HELP)
    const done = yield* editorKeys(grub, lines, box)
    if (done === 'escape') return
    if (done === 'boot') yield* bootCommandList(grub, lines)
  }
}

/** Keys in the editor until the screen must be drawn anew. */
function* editorKeys(grub: Grub, lines: string[], box: ListBox): Run<'escape' | 'boot' | undefined> {
  for (;;) {
    const key = yield* nextKey(grub, box)
    yield* box.key(key)
    const at = box.selected
    if (is(key, 'o') || is(key, 'O') || is(key, 'd')) {
      yield* box.unmark()
      if (is(key, 'd')) {
        lines.splice(at, 1)
        box.settle()
      } else {
        // An empty line is a blank: GRUB's lists cannot hold less.
        const added = is(key, 'o') && lines.length > 0 ? at + 1 : at
        lines.splice(added, 0, ' ')
        box.select(added)
      }
      yield* box.draw()
    } else if (key === KEY.escape) return 'escape'
    else if (is(key, 'b')) return 'boot'
    else if (is(key, 'e')) {
      yield* editLine(grub, lines, at)
      return undefined
    } else if (is(key, 'c')) {
      yield* runCommandLine(grub, false)
      return undefined
    }
  }
}

function* editLine(grub: Grub, lines: string[], at: number): Run {
  const line = lines[at]
  if (line === undefined) return
  yield* grub.tty.clear()
  yield* printPromptHelp(grub, 'edit')
  grub.root = grub.home
  const options = { prompt: 'grub edit> ', initial: line, max: ENTRY_LINE_BYTES, readline: true }
  const edited = yield* readLine(grub, options)
  if (edited !== undefined) lines[at] = edited === '' ? ' ' : edited
}

/** Boot the selected entry and, when it fails, the fallback entries in turn. Comes back with the error on the screen read. */
function* bootFromMenu(grub: Grub, entries: readonly MenuEntry[], box: ListBox): Run {
  const { tty } = grub
  yield* tty.clear()
  tty.showCursor(true)
  for (;;) {
    const { title, commands } = entries[box.selected]!
    yield* tty.print(`  Booting '${title}'\n\n`)
    grub.currentEntry = box.selected
    if (!(yield* runScript(grub, commands)) || !grub.fallback) break
    const [next, ...later] = grub.fallback
    if (next === undefined) break
    box.select(next)
    grub.fallback = later.length > 0 ? later : undefined
  }
  grub.showMenu = true
}

/** Boot lines that a person has written; no fallback takes over from a person. */
function* bootCommandList(grub: Grub, lines: readonly string[]): Run {
  const { tty } = grub
  grub.fallback = undefined
  yield* tty.clear()
  tty.showCursor(true)
  yield* tty.print('  Booting command-list\n\n')
  yield* runScript(grub, lines)
  grub.showMenu = true
}
