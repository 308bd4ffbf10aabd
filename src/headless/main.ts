/** `npm run -s headless`: a machine under Node, on a terminal, on a socket, or driven by a tape. scripts/headless.mjs starts this. */
import { readFileSync, writeFileSync } from 'node:fs'
import { gunzipSync, gzipSync } from 'node:zlib'
import type { SparseDisk } from '#lib/ondisk/sparse-disk.ts'
import { BUILD } from '#protocol/build.ts'
import type { CrashReport, WorldRecord } from '#protocol/machine.ts'
import { parseRecord, RecordError } from '#protocol/record.ts'
import { describeError, parseTape } from '#tape/parse.ts'
import { playTape, type TapeResult } from '#tape/play.ts'
import type { Tape } from '#tape/tape.ts'
import { ImageLoader } from '#world/realm/loader.ts'
import { lockdown } from '#world/realm/lockdown.ts'
import { createRing3s } from '#world/ring3.ts'
import { type Recording, recordTranslations, withTranslations } from '#world/translations.ts'
import { createWorld, type World } from '#world/world.ts'
import { DiskFileError, decodeDisk, readDiskFile, writeRawDisk } from './disk-file.ts'
import { MEMORY_MIB_DEFAULT, type Options, parseOptions, SEED_DEFAULT, USAGE, UsageError } from './options.ts'
import { runSession, type Terminal } from './session.ts'

export interface Surroundings extends Terminal {
  /** The default disk's container, gzipped. */
  defaultDisk(): Promise<{ readonly bytes: Uint8Array; readonly known: readonly string[] }>
  /** The file that `npm run guests:debian` has made; undefined: it has not. */
  guestsDisk(): string | undefined
  /** The file of what it has translated of that disk's kernels; undefined: nothing, or another version of this project has. */
  guestsTranslations(): string | undefined
}

/** Something that the command was given cannot be used: exit status 2. */
class InputError extends Error {}

/** Mistakes in a tape, a line each, which say themselves where they are. */
class TapeErrors extends Error {}

/** Runs the command. The exit status. */
export async function main(argv: readonly string[], around: Surroundings): Promise<number> {
  const complain = (message: string): void => {
    around.stderr.write(`headless: ${message}\n`)
  }
  try {
    const options = parseOptions(argv)
    if (options.help) {
      around.stdout.write(USAGE)
      return 0
    }
    return await run(options, around, complain)
  } catch (error) {
    if (error instanceof UsageError) {
      complain(error.message)
      around.stderr.write("Try 'npm run -s headless -- --help' for more information.\n")
      return 2
    }
    if (error instanceof TapeErrors) {
      around.stderr.write(`${error.message}\n`)
      return 2
    }
    if (error instanceof InputError) {
      complain(error.message)
      return 2
    }
    complain(isSystemError(error) ? error.message : `the machine failed: ${describe(error)}`)
    return 1
  }
}

async function run(options: Options, around: Surroundings, complain: (message: string) => void): Promise<number> {
  const tape = options.tape === undefined ? undefined : readTape(options.tape)
  const record = options.replay === undefined ? undefined : input(options.replay, () => readRecord(options.replay!))
  const ours = options.disk === undefined ? await around.defaultDisk() : undefined
  const disk = ours ? decodeDisk(ours.bytes) : input(options.disk!, () => readDiskFile(options.disk!))
  const diskHash = disk.hash()
  const secondDisk = options.guests === undefined ? undefined : guestsDisk(options.guests, around, complain)
  const secondDiskHash = secondDisk?.hash()
  if (record) refuseForeign(record, diskHash, secondDiskHash)
  const ring3s = executing(options, around)
  // From here on images may run: the realm is locked first (design D2).
  lockdown()
  const world = createWorld({
    disk,
    diskHash,
    secondDisk,
    secondDiskHash,
    memoryMiB: record?.memoryMiB ?? options.memoryMiB ?? MEMORY_MIB_DEFAULT,
    seed: record?.seed ?? options.seed ?? SEED_DEFAULT,
    build: BUILD,
    loader: new ImageLoader(ours?.known),
    createRing3s: () => ring3s.createRing3s,
  })
  const crashes: CrashReport[] = []
  world.onCrash((report) => crashes.push(report))
  const status = await drive(world, options, tape, record, around, complain)
  for (const report of crashes) for (const line of crashLines(report)) complain(line)
  if (options.writeTranslations !== undefined && 'file' in ring3s)
    writeFileSync(options.writeTranslations, gzipSync(ring3s.file()))
  atEnd(world, disk, options, around)
  return status
}

async function drive(
  world: World,
  options: Options,
  tape: Tape | undefined,
  record: WorldRecord | undefined,
  around: Surroundings,
  complain: (message: string) => void,
): Promise<number> {
  if (record) {
    await write(around.stdout, replay(world, record))
    return 0
  }
  world.powerOn()
  if (tape === undefined) {
    await runSession(world, around, options)
    return 0
  }
  const result = finish(playTape(tape, world, options.tape))
  await write(around.stdout, result.bytes)
  for (const { path, content } of result.files) writeFileSync(path, content)
  report(result, around, complain)
  return result.status
}

/** A bad tape is refused before anything is built or run: every mistake, with its line. */
function readTape(path: string): Tape {
  const text = input(path, () => readFileSync(path, 'utf8'))
  const { tape, errors } = parseTape(text, { source: sourceTape })
  if (!tape) throw new TapeErrors(errors.map((error) => describeError(path, error)).join('\n'))
  return tape
}

/** `Source` names files as the shell's working directory has them, as VHS does. */
function sourceTape(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}

function finish<T>(steps: Generator<void, T>): T {
  for (;;) {
    const { done, value } = steps.next()
    if (done) return value
  }
}

/** What COM1 says during the run. */
function replay(world: World, record: WorldRecord): Uint8Array {
  const bytes: number[] = []
  world.onSerial((line, byte) => {
    if (line === 'com1') bytes.push(byte)
  })
  finish(world.replay(record))
  return Uint8Array.from(bytes)
}

function report(result: TapeResult, around: Surroundings, complain: (message: string) => void): void {
  if (result.ignored.length > 0) complain(`without effect here: ${result.ignored.join(', ')}`)
  if (result.error === undefined) return
  complain(result.error)
  const rows = result.screen.join('\n').replace(/\n+$/, '')
  around.stderr.write(rows === '' ? 'The screen was empty.\n' : `On the screen was:\n${rows}\n`)
}

function atEnd(world: World, disk: SparseDisk, options: Options, around: Surroundings): void {
  if (options.record !== undefined) writeFileSync(options.record, `${JSON.stringify(world.record())}\n`)
  if (options.exportDisk !== undefined) writeRawDisk(options.exportDisk, disk)
  if (options.digest) around.stderr.write(`${world.digest()}\n`)
}

const readRecord = (path: string): WorldRecord => parseRecord(readFileSync(path, 'utf8'))

/** Reads what the user named; whatever is wrong with it is his to put right. */
function input<T>(path: string, read: () => T): T {
  try {
    return read()
  } catch (error) {
    if (isSystemError(error)) throw new InputError(error.message)
    if (error instanceof DiskFileError || error instanceof RecordError)
      throw new InputError(`${path}: ${error.message}`)
    throw error
  }
}

/** The same inputs on another build or another disk would be another history. */
function refuseForeign(record: WorldRecord, diskHash: string, secondDiskHash: string | undefined): void {
  if (record.build !== BUILD) throw new InputError(`the record is of build ${record.build}, and this is ${BUILD}`)
  if (record.diskHash !== diskHash) throw new InputError('the record was made with another disk')
  if (record.secondDiskHash !== secondDiskHash)
    throw new InputError(
      record.secondDiskHash === undefined
        ? 'the record was made without a second disk (--guests)'
        : `the record was made with ${secondDiskHash === undefined ? 'a' : 'another'} second disk (--guests)`,
    )
}

function guestsDisk(where: string, around: Surroundings, complain: (message: string) => void): SparseDisk | undefined {
  const path = where === 'auto' ? around.guestsDisk() : where
  if (path !== undefined) return input(path, () => readDiskFile(path))
  complain("there is no disk with guests: 'npm run guests:debian' makes one")
  return undefined
}

/** What executes machine code, with what has been translated before, if anything has; and what is to be written at the end. */
function executing(options: Options, around: Surroundings): Recording | Pick<Recording, 'createRing3s'> {
  const path = options.translations ?? (options.guests === 'auto' ? around.guestsTranslations() : undefined)
  const file = path === undefined ? undefined : input(path, () => readFileSync(path))
  try {
    const before = file && new Uint8Array(gunzipSync(file))
    if (options.writeTranslations !== undefined) return recordTranslations(before)
    return { createRing3s: before ? withTranslations(before) : createRing3s }
  } catch {
    throw new InputError(`${path}: not what --write-translations writes`)
  }
}

function crashLines({ image, message, file, line, stack }: CrashReport): string[] {
  const where = file === undefined ? '' : ` at ${file}${line === undefined ? '' : `:${line}`}`
  return [`${image} crashed${where}: ${message}`, ...stack.map((frame) => `    ${frame}`)]
}

const isSystemError = (error: unknown): error is NodeJS.ErrnoException =>
  error instanceof Error && typeof (error as NodeJS.ErrnoException).code === 'string'

const describe = (error: unknown): string => (error instanceof Error ? (error.stack ?? error.message) : String(error))

/** Resolves when the stream has taken all: a pipe may be slower than we are. */
const write = (stream: NodeJS.WriteStream, bytes: Uint8Array): Promise<void> =>
  new Promise((resolve, reject) => {
    stream.write(bytes, (error) => (error ? reject(error) : resolve()))
  })
