/**
 * Stacks of errors that images throw, read without running image code. Engines print them differently, and an image that could read
 * them would behave differently in each (design D8): so in a locked realm images see none, and this file still does.
 */

/** A frame inside an image. `line` as the engine counts it, in what was handed to `Function`. */
export interface Frame {
  readonly name: string
  readonly image: string
  readonly path: string
  readonly line: number
}

export const SOURCE_URL = 'xen:///'

const STACK_CHARS_MAX = 32_768
export const FRAMES_MAX = 20

/** Texts that the hook keeps from the errors themselves. */
const hidden = new WeakMap<object, string>()

const { apply, getOwnPropertyDescriptor } = Reflect
/** The engine's own accessor, where `stack` is one: of each error (newer V8) or of Error.prototype (SpiderMonkey). */
const nativeGetters: readonly unknown[] = [new Error('probe'), Error.prototype]
  .map((owner) => getOwnPropertyDescriptor(owner, 'stack')?.get)
  .filter((get) => get !== undefined)

/** V8's hook: called when a stack is first asked for. Errors made under an image get an empty `stack`. */
export function prepareStackTrace(error: unknown, sites: readonly unknown[]): string {
  let text = ''
  for (const site of sites) text += `\n    at ${String(site)}`
  if (!text.includes(SOURCE_URL)) return headline(error) + text
  if (typeof error === 'object' && error !== null) hidden.set(error, text)
  return ''
}

/** The first line of a stack, for our own errors: no getter is called. */
function headline(error: unknown): string {
  if (typeof error !== 'object' || error === null) return 'Error'
  const message = getOwnPropertyDescriptor(error, 'message')?.value
  return typeof message === 'string' ? `Error: ${message}` : 'Error'
}

/** The engine's text, or undefined where the error has none. Calls nothing of the error's own. */
export function stackText(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null) return undefined
  const own = getOwnPropertyDescriptor(error, 'stack')
  let text: unknown = own?.value
  if (own === undefined || own.get) {
    const getter = own ? nativeGetters.find((get) => get === own.get) : nativeGetters.at(-1)
    try {
      text = typeof getter === 'function' ? apply(getter, error, []) : undefined
    } catch {
      text = undefined // not an error object at all
    }
  }
  return hidden.get(error) ?? (typeof text === 'string' ? text : undefined)
}

// V8: `    at name (xen:///image/path.ts:3:9)`, `    at xen:///...`; SpiderMonkey: `name@xen:///image/path.ts:3:9`.
const FRAME = /^\s*(?:at )?(.*?)[@( ]*xen:\/\/\/([\w.-]+)\/([\w./-]+):(\d+):\d+\)?$/

/** The frames inside images, innermost first. */
export function framesOf(text: string): Frame[] {
  const frames: Frame[] = []
  for (const line of text.slice(0, STACK_CHARS_MAX).split('\n')) {
    if (line.length > 1000) continue
    const match = FRAME.exec(line)
    if (!match) continue
    frames.push({ name: functionName(match[1]!), image: match[2]!, path: match[3]!, line: Number(match[4]) })
    if (frames.length === FRAMES_MAX) break
  }
  return frames
}

/** Engines qualify names in their own ways (`Object.run`, `new Vga`, `run/<`): what both know is the last word. */
const functionName = (text: string): string =>
  /([\w$#]{1,64})\W*(?:\[as [^\]]*\])?\W*$/.exec(text)?.[1] ?? '(top level)'
