/** Answers to what the page asks of a machine. Whatever is refused is refused in words. */

import type { SparseDisk } from '#lib/ondisk/sparse-disk.ts'
import type { Reply, Request, TapeOutcome } from '#protocol/messages.ts'
import { runTape } from '#tape/play.ts'
import { EPOCH_SECONDS } from '#world/world.ts'
import { rawDisk, readFile, writeFile } from './disk-files.ts'
import type { Machine } from './room.ts'

interface Asked {
  readonly machine: Machine
  /** Another machine like this one, off, at time 0, takes this one's place. With the same base disk, or another. */
  readonly replace: (baseDisk?: SparseDisk) => Machine
  readonly reply: (reply: Reply) => void
}

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
        playTape(asked.replace(), request.text, value, refuse)
        break
      case 'read-file':
        value(readFile(machine.disk, request.path))
        break
      case 'write-file':
        if (world.state() === 'off') value(editDisk(asked, request.path, request.bytes))
        else refuse('the machine is on: its disk cannot be written from outside')
        break
      case 'export-disk':
        value(rawDisk(machine.disk))
        break
    }
  } catch (error) {
    refuse(error)
  }
}

/** An edit from outside begins a new world: its record then says truly from which disk it started. */
function editDisk({ machine, replace }: Asked, path: string, bytes: Uint8Array): number {
  const edited = machine.disk.clone()
  writeFile(edited, path, bytes, EPOCH_SECONDS + Math.floor(machine.world.nowNs() / 1e9))
  replace(edited)
  return bytes.length
}

/** A tape has its own machine, from power-on: the same tape and seed then give the same bytes everywhere. */
function playTape(
  { world, loop }: Machine,
  text: string,
  done: (outcome: TapeOutcome) => void,
  failed: (error: unknown) => void,
): void {
  let outcome: TapeOutcome | undefined
  function* steps(): Generator<void, void> {
    const { status, transcript, error } = yield* runTape(text, world)
    outcome = { status, transcript: transcript ?? '', error, digest: world.digest() }
  }
  world.powerOn()
  loop.drive(steps(), (error) => (outcome ? done(outcome) : failed(error)))
}
