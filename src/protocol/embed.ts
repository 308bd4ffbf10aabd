/**
 * How a page on another origin drives the machine of an embedded page (docs/embedding.md), version 1. The parent posts a hello to the frame; the page
 * answers with a port, once the person in front of it has let that origin in, and else never. Over the port go calls, their answers and events.
 */

export const EMBED_VERSION = 1

/** Parent to the frame's window. It may be repeated until it is answered: one `id` is answered once. */
export interface Hello {
  readonly type: 'xen-playground-hello'
  readonly apiVersion: number
  readonly id?: string
}

/** The frame to its parent, with one MessagePort. */
export interface Welcome {
  readonly type: 'xen-playground-port'
  readonly apiVersion: typeof EMBED_VERSION
  readonly id: string
}

export const isHello = (data: unknown): data is Hello =>
  typeof data === 'object' && data !== null && (data as { readonly type?: unknown }).type === 'xen-playground-hello'

export const isWelcome = (data: unknown): data is Welcome =>
  typeof data === 'object' && data !== null && (data as { readonly type?: unknown }).type === 'xen-playground-port'

/** Over the port, parent to frame. */
export type ToFrame =
  /** `path`: as in `['machine', 'power']`; of a console, `['console', 'com1', 'type']`. `id`: any number that is not in use. */
  | { readonly id: number; readonly path: readonly string[]; readonly args: readonly unknown[] }
  /** The subscription that the call of that id has made ends. */
  | { readonly cancel: number }

/** Over the port, frame to parent. */
export type FromFrame =
  | { readonly id: number; readonly ok: true; readonly value: unknown }
  | { readonly id: number; readonly ok: false; readonly error: { readonly name: string; readonly message: string } }
  /** What the subscription of that id has heard. */
  | { readonly event: number; readonly value: unknown }

/** What can be called; what gives a value at once on the page is a promise here. `domains.waitFor` takes a function: the client waits by events. */
export const CALLS = [
  'ready',
  'machine.power',
  'machine.reset',
  'machine.nmi',
  'machine.state',
  'machine.options',
  'machine.screenshot',
  'machine.record',
  'machine.replay',
  'machine.digest',
  'clock.mode',
  'clock.now',
  'clock.runFor',
  'clock.settled',
  'disk.readFile',
  'disk.writeFile',
  'disk.export',
  'disk.import',
  'disk.discard',
  'disk.state',
  'xenstore.read',
  'xenstore.list',
  'xenstore.write',
  'xenstore.mkdir',
  'xenstore.rm',
  'xenstore.perms',
  'xenstore.waitFor',
  'domains.list',
  'domains.act',
  'asciicast',
  'ui.open',
  'ui.lang',
  'ui.theme',
  'runTape',
] as const

export type Call = (typeof CALLS)[number]

export const CONSOLE_CALLS = ['write', 'type', 'key', 'waitFor', 'screen'] as const

/** Calls whose listener is the port: the answer says that it listens, events follow until it is cancelled. */
export const SUBSCRIPTIONS = ['on', 'onData'] as const

/** So many calls of one port may be under way, and so many subscriptions. */
export const PENDING_MAX = 256
