/** The room that the machine stands in: makes a world at power-on, lets messages in and what happens out. */
import { digest } from '#lib/digest.ts'
import { openSparseDisk } from '#lib/ondisk/sparse-disk.ts'
import { BUILD } from '#protocol/build.ts'
import type { MachineOptions, Reply, Request, ToWorker } from '#protocol/messages.ts'
import { createWorld, type World } from '#world/world.ts'
import type { Host } from './host.ts'
import type { Send } from './outbox.ts'
import { answer } from './requests.ts'
import { RunLoop } from './run-loop.ts'

export interface Room {
  receive(message: ToWorker): void
}

export interface Machine {
  readonly world: World
  readonly loop: RunLoop
}

export function createRoom(parts: { readonly host: Host; readonly send: Send; readonly fault: (error: unknown) => void }): Room {
  const { host, send, fault } = parts
  let machine: Machine | undefined

  function powerOn(options: MachineOptions, disk: ArrayBuffer): void {
    machine?.loop.stop()
    machine = undefined
    const container = new Uint8Array(disk)
    const world = createWorld({
      disk: openSparseDisk(container),
      diskHash: digest().bytes(container).hex(),
      memoryMiB: options.memoryMiB,
      seed: options.seed,
      build: BUILD,
    })
    world.onState((state) => send({ type: 'state', state }))
    world.onCrash((report) => send({ type: 'crash', report }))
    world.onProbe((probe) => send({ type: 'probe', probe }))
    world.onInput((entry) => send({ type: 'input-logged', entry }))
    const loop = new RunLoop(world, { host, send, mode: options.clock, onFault: fault })
    machine = { world, loop }
    world.powerOn()
    loop.wake()
  }

  function receive(message: ToWorker): void {
    switch (message.type) {
      case 'power-on':
        return powerOn(message.options, message.disk)
      case 'input':
        return machine?.loop.input(message.input)
      case 'clock':
        return machine?.loop.clock(message.mode)
      case 'visible':
        return machine?.loop.visible(message.visible)
      case 'request':
        return request(message.id, message.request)
    }
  }

  function request(id: number, asked: Request): void {
    const reply = (answered: Reply) => send({ type: 'reply', id, reply: answered })
    if (!machine) return reply({ ok: false, error: 'the machine has never been powered on' })
    answer(machine, asked, reply)
  }

  return {
    receive(message) {
      try {
        receive(message)
      } catch (error) {
        machine?.loop.stop()
        machine = undefined
        fault(error)
      }
    },
  }
}
