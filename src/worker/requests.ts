/** Answers to what the page asks of a machine. Whatever is refused is refused in words. */

import { SECTOR_BYTES } from '#lib/ondisk/block-store.ts'
import type { Reply, Request, TapeOutcome } from '#protocol/messages.ts'
import { runTape } from '#tape/play.ts'
import { EPOCH_SECONDS } from '#world/world.ts'
import { type BatchSender, DiskWatch } from './disk-batches.ts'
import { rawDisk, readFile, writeFile } from './disk-files.ts'
import { importImage } from './import-disk.ts'
import type { Send } from './outbox.ts'
import { play, replayRecord } from './replay.ts'
import type { Machine, MachineParts } from './room.ts'

export interface Asked {
  readonly machine: Machine
  readonly send: Send
  readonly sender: BatchSender
  /** Another machine like this one, off, at time 0, takes this one's place; like it but for what is given. */
  readonly replace: (made: Partial<MachineParts>) => Machine
  readonly reply: (reply: Reply) => void
}

/** Work on a whole disk may keep the worker busy for so long; the page must not take it for hung. */
const DISK_WORK_MS = 60_000

/** Answer `request`, now or when virtual time has come that far. */
export function answer(asked: Asked, request: Request): void {
  const { reply, machine } = asked
  const { world, loop } = machine
  const value = (found: Extract<Reply, { ok: true }>['value']) => reply({ ok: true, value: found })
  const refuse = (error: unknown) => reply({ ok: false, error: error instanceof Error ? error.message : String(error) })
  try {
    switch (request.kind) {
      case 'run-for':
        loop.runFor(request.ns, { done: value, failed: refuse })
        break
      case 'settled':
        loop.whenSettled({ done: value, failed: refuse })
        break
      case 'digest':
        loop.observe({ done: () => value(machine.world.digest()), failed: refuse })
        break
      case 'record':
        loop.observe({ done: () => value(machine.world.record()), failed: refuse })
        break
      case 'tape':
        // What a tape does to the disk is gone with its machine.
        playTape(asked.replace({ persist: false }), request.text, value, refuse)
        break
      case 'read-file':
        value(readFile(machine.disk, request.path))
        break
      case 'write-file':
        if (world.state() === 'off') value(editDisk(asked, request.path, request.bytes))
        else refuse('the machine is on: its disk cannot be written from outside')
        break
      case 'export-disk':
        asked.send({ type: 'alive', sleepMs: DISK_WORK_MS })
        value(rawDisk(machine.disk))
        break
      case 'check-image':
        asked.send({ type: 'alive', sleepMs: DISK_WORK_MS })
        value(importImage(request.bytes).sectors * SECTOR_BYTES)
        break
      case 'import-disk':
        if (world.state() === 'off') value(importDisk(asked, request.bytes))
        else refuse('the machine is on: its disk cannot be exchanged')
        break
      case 'replay':
        replayRecord(asked, request.record, value, refuse)
        break
    }
  } catch (error) {
    refuse(error)
  }
}

/** An edit from outside begins a new world: its record then says truly from which disk it started. */
function editDisk({ machine, replace, sender }: Asked, path: string, bytes: Uint8Array): number {
  const edited = machine.disk.clone()
  const watch = machine.watch && new DiskWatch(edited, sender)
  writeFile(edited, path, bytes, EPOCH_SECONDS + Math.floor(machine.world.nowNs() / 1e9))
  watch?.flushed()
  replace({ baseDisk: edited })
  return bytes.length
}

/** Answers with the size of the disk. */
function importDisk({ machine, replace, sender, send }: Asked, bytes: Uint8Array): number {
  send({ type: 'alive', sleepMs: DISK_WORK_MS })
  const disk = importImage(bytes)
  replace({ baseDisk: disk, shippedDisk: disk })
  if (machine.watch)
    sender.send(
      disk.chunks().map(([number, chunk]) => ({ number, bytes: chunk.slice() })),
      disk.sectors,
    )
  return disk.sectors * SECTOR_BYTES
}

/** A tape has its own machine, from power-on: the same tape and seed then give the same bytes everywhere. */
function playTape(
  machine: Machine,
  text: string,
  done: (outcome: TapeOutcome) => void,
  failed: (error: unknown) => void,
): void {
  const { world } = machine
  let outcome: TapeOutcome | undefined
  function* steps(): Generator<void, void> {
    const { status, transcript, error } = yield* runTape(text, world)
    outcome = { status, transcript: transcript ?? '', error, digest: world.digest() }
  }
  world.powerOn()
  play(machine, 'tape', steps(), (error) => (outcome ? done(outcome) : failed(error)))
}
