/** Message types in the words of cases.ts; and what a client is told, put into such words. */
import {
  XS_DEBUG,
  XS_DIRECTORY,
  XS_ERROR,
  XS_GET_DOMAIN_PATH,
  XS_GET_PERMS,
  XS_INTRODUCE,
  XS_IS_DOMAIN_INTRODUCED,
  XS_MKDIR,
  XS_READ,
  XS_RELEASE,
  XS_RESUME,
  XS_RM,
  XS_SET_PERMS,
  XS_SET_TARGET,
  XS_TRANSACTION_END,
  XS_TRANSACTION_START,
  XS_UNWATCH,
  XS_WATCH,
  XS_WATCH_EVENT,
  XS_WRITE,
} from '#abi/xen/io/xs_wire.ts'

/** What the lines call the message types. */
export const OPS: Readonly<Record<string, number>> = {
  DEBUG: XS_DEBUG,
  DIR: XS_DIRECTORY,
  READ: XS_READ,
  PERMS: XS_GET_PERMS,
  WATCH: XS_WATCH,
  UNWATCH: XS_UNWATCH,
  START: XS_TRANSACTION_START,
  END: XS_TRANSACTION_END,
  INTRO: XS_INTRODUCE,
  RELEASE: XS_RELEASE,
  PATH: XS_GET_DOMAIN_PATH,
  WRITE: XS_WRITE,
  MKDIR: XS_MKDIR,
  RM: XS_RM,
  CHMOD: XS_SET_PERMS,
  EVENT: XS_WATCH_EVENT,
  ERROR: XS_ERROR,
  INTRODUCED: XS_IS_DOMAIN_INTRODUCED,
  RESUME: XS_RESUME,
  TARGET: XS_SET_TARGET,
  T20: 20,
  T999: 999,
}

/** `|` stands for NUL, `^` for a newline, `_` for nothing at all. */
export const payloadOf = (text: string): string =>
  text === '_' ? '' : text.replaceAll('|', '\0').replaceAll('^', '\n')

export function inWords(type: number, payload: string): string {
  const text = payload.replaceAll('\0', '|').replaceAll('\n', '^')
  return type === XS_WATCH_EVENT ? `~${text}` : type === XS_ERROR ? `!${text.replace('|', '')}` : text || '_'
}

/** `WHO#TRANSACTION OP PAYLOAD` */
export function parsed(line: string): { who: string; txId: number; type: number; payload: string } {
  const [, who = '', tx, op = '', text = ''] = /^(\w+)(?:#(\d+))? (\w+)(?: (.*))?$/s.exec(line) ?? []
  return { who, txId: Number(tx ?? 0), type: OPS[op]!, payload: payloadOf(text) }
}
