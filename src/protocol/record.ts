/** Input logs as files: JSON of protocol/machine.ts's WorldRecord. They come from outside, so every field is looked at. */
import type { LinkInput } from '#abi/pc/hostlink.ts'
import { type Input, type LoggedInput, MEMORY_MIB_MAX, type WorldRecord } from './machine.ts'

/** A file that is no input log; the message says why. */
export class RecordError extends Error {}

type Json = Readonly<Record<string, unknown>>

export function parseRecord(text: string): WorldRecord {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    throw new RecordError('not an input log: not JSON')
  }
  return checkRecord(json)
}

export function checkRecord(json: unknown): WorldRecord {
  const record = object(json, 'the log')
  if (record['version'] !== 1)
    throw new RecordError(
      `not an input log of version 1${typeof record['version'] === 'number' ? `: version ${record['version']}` : ''}`,
    )
  const inputs = record['inputs']
  if (!Array.isArray(inputs)) throw new RecordError('not an input log: inputs is no list')
  const logged = inputs.map((entry, i) => loggedInput(entry, `input ${i}`))
  logged.forEach(({ atNs }, i) => {
    if (i > 0 && atNs < logged[i - 1]!.atNs) throw new RecordError(`input ${i} is earlier than the one before`)
  })
  const endNs = whole(record['endNs'], 'endNs')
  if (logged.length > 0 && endNs < logged.at(-1)!.atNs) throw new RecordError('endNs is earlier than the last input')
  return {
    version: 1,
    build: string(record['build'], 'build'),
    diskHash: string(record['diskHash'], 'diskHash'),
    ...(record['secondDiskHash'] === undefined
      ? {}
      : { secondDiskHash: string(record['secondDiskHash'], 'secondDiskHash') }),
    seed: whole(record['seed'], 'seed'),
    memoryMiB: memory(whole(record['memoryMiB'], 'memoryMiB')),
    inputs: logged,
    endNs,
  }
}

function loggedInput(json: unknown, what: string): LoggedInput {
  const entry = object(json, what)
  return { atNs: whole(entry['atNs'], `${what}: atNs`), input: anInput(object(entry['input'], what), what) }
}

function anInput(input: Json, what: string): Input {
  const { kind, line, button } = input
  if (kind === 'serial' && (line === 'com1' || line === 'com2')) {
    return { kind, line, bytes: bytes(input['bytes'], `${what}: bytes`) }
  }
  if (kind === 'link')
    return { kind, link: whole(input['link'], `${what}: link`), event: linkEvent(input['event'], what) }
  if (kind === 'keyboard') return { kind, scancodes: bytes(input['scancodes'], `${what}: scancodes`) }
  if (kind === 'button' && (button === 'power' || button === 'reset' || button === 'nmi')) return { kind, button }
  throw new RecordError(`${what} is of no known kind`)
}

function linkEvent(json: unknown, what: string): LinkInput {
  const event = object(json, `${what}: event`)
  const { kind } = event
  if (kind === 'open') return { kind, to: string(event['to'], `${what}: to`) }
  if (kind === 'data') return { kind, bytes: bytes(event['bytes'], `${what}: bytes`) }
  if (kind === 'credit') return { kind, bytes: whole(event['bytes'], `${what}: bytes`) }
  if (kind === 'end' || kind === 'close') return { kind }
  throw new RecordError(`${what} is of no known kind`)
}

function object(json: unknown, what: string): Json {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) throw new RecordError(`${what} is no object`)
  return json as Json
}

function string(value: unknown, what: string): string {
  if (typeof value !== 'string') throw new RecordError(`${what} is no text`)
  return value
}

function whole(value: unknown, what: string): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) {
    throw new RecordError(`${what} is no whole number`)
  }
  return value
}

function memory(mib: number): number {
  if (mib < 1 || mib > MEMORY_MIB_MAX) throw new RecordError(`memoryMiB: ${mib} is not between 1 and ${MEMORY_MIB_MAX}`)
  return mib
}

function bytes(value: unknown, what: string): number[] {
  if (!Array.isArray(value) || !value.every((byte) => Number.isInteger(byte) && byte >= 0 && byte <= 255)) {
    throw new RecordError(`${what} is no list of bytes`)
  }
  return value as number[]
}
