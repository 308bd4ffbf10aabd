/** A record of somebody's run, run again (design D8): the same build, disk, seed, memory and inputs give the same bytes. */
import type { LinkInput } from '#abi/pc/hostlink.ts'
import { BUILD } from '#protocol/build.ts'
import type { LoggedInput, WorldRecord } from '#protocol/machine.ts'
import type { Asked } from './requests.ts'
import type { Machine } from './room.ts'
import type { Driver } from './run-loop.ts'

/** The largest machine. */
const MEMORY_MIB_MAX = 3072

/** Replay `record` on a machine of its own, in slices; `done` gets the digest at its end. What cannot be replayed is refused in words. */
export function replayRecord(
  { machine, replace }: Asked,
  record: WorldRecord,
  done: (digest: string) => void,
  failed: (error: unknown) => void,
): void {
  checkRecord(record)
  // Most records began with the disk as it is shipped, also where this machine's has changed since.
  const baseDisk = [machine.baseDisk, machine.shippedDisk].find((disk) => disk.hash() === record.diskHash)
  if (!baseDisk) throw new Error('the record began with another disk than the one here')
  const { memoryMiB, seed } = record
  const options = { ...machine.options, memoryMiB, seed }
  const fresh = replace({ options, baseDisk, persist: false })
  let digest: string | undefined
  function* steps(): Generator<void, void> {
    yield* fresh.world.replay(record)
    digest = fresh.world.digest()
  }
  play(fresh, 'record', steps(), (error) => {
    if (digest === undefined) failed(error)
    else done(digest)
  })
}

/** `steps` alone step the world until they are done; what the page opens then is numbered after what they have opened. */
export function play(
  machine: Machine,
  playing: 'record' | 'tape',
  steps: Driver,
  done: (error?: unknown) => void,
): void {
  machine.playing = playing
  machine.loop.drive(steps, (error) => {
    machine.playing = undefined
    for (const { input } of machine.world.record().inputs)
      if (input.kind === 'link') machine.linksBefore = Math.max(machine.linksBefore, input.link)
    done(error)
  })
}

/** It may come from a file: nothing in it may surprise the machine. */
function checkRecord({ version, build, seed, memoryMiB, inputs, endNs }: WorldRecord): void {
  if (version !== 1) throw new Error(`a record of version ${version} cannot be replayed, only of version 1`)
  if (build !== BUILD) throw new Error(`the record was made by another build: ${build}, and this is ${BUILD}`)
  if (!Number.isInteger(memoryMiB) || memoryMiB < 1 || memoryMiB > MEMORY_MIB_MAX || !Number.isInteger(seed))
    throw new Error('the record is damaged')
  let lastNs = 0
  for (const entry of inputs) {
    if (!isInput(entry) || !(entry.atNs >= lastNs)) throw new Error('the record is damaged')
    lastNs = entry.atNs
  }
  if (!(endNs >= lastNs && Number.isSafeInteger(endNs))) throw new Error('the record is damaged')
}

const isByte = (value: unknown): boolean => Number.isInteger(value) && Number(value) >= 0 && Number(value) <= 255

function isLinkEvent(event: LinkInput): boolean {
  switch (event.kind) {
    case 'open':
      return typeof event.to === 'string'
    case 'data':
      return event.bytes.every(isByte)
    case 'credit':
      return Number.isSafeInteger(event.bytes) && event.bytes >= 0
    default:
      return event.kind === 'end' || event.kind === 'close'
  }
}

function isInput({ atNs, input }: LoggedInput): boolean {
  if (!Number.isSafeInteger(atNs)) return false
  switch (input.kind) {
    case 'serial':
      return (input.line === 'com1' || input.line === 'com2') && input.bytes.every(isByte)
    case 'keyboard':
      return input.scancodes.every(isByte)
    case 'button':
      return input.button === 'power' || input.button === 'reset' || input.button === 'nmi'
    case 'link':
      return Number.isSafeInteger(input.link) && isLinkEvent(input.event)
    default:
      return false
  }
}
