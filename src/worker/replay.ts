/** A record of somebody's run, run again (design D8): the same build, disk, seed, memory and inputs give the same bytes. */
import { BUILD } from '#protocol/build.ts'
import type { WorldRecord } from '#protocol/machine.ts'
import { checkRecord } from '#protocol/record.ts'
import type { Asked } from './requests.ts'
import type { Machine } from './room.ts'
import type { Driver } from './run-loop.ts'

/** Replay the record on a machine of its own, in slices; `done` gets the digest at its end. What cannot be replayed is refused in words. */
export function replayRecord(
  { machine, replace }: Asked,
  given: WorldRecord,
  done: (digest: string) => void,
  failed: (error: unknown) => void,
): void {
  // It may come from a file: nothing in it may surprise the machine.
  const record = checkRecord(given)
  if (record.build !== BUILD)
    throw new Error(`the record was made by another build: ${record.build}, and this is ${BUILD}`)
  // Most records began with the disk as it is shipped, also where this machine's has changed since.
  const baseDisk = [machine.baseDisk, machine.shippedDisk].find((disk) => disk.hash() === record.diskHash)
  if (!baseDisk) throw new Error('the record began with another disk than the one here')
  const { memoryMiB, seed, secondDiskHash } = record
  if (secondDiskHash !== undefined && secondDiskHash !== machine.secondDisk?.hash())
    throw new Error('the record was made with a second disk that is not here')
  const options = { ...machine.options, memoryMiB, seed }
  const secondDisk = secondDiskHash === undefined ? undefined : machine.secondDisk
  const fresh = replace({ options, baseDisk, secondDisk, persist: false })
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
