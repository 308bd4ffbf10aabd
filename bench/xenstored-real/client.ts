/** Debian's daemons as the bench sees them: a daemon in a temporary folder, and client.c at its socket. */
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { compiledC, type RealKind, startRealXenstored } from '#testing/xenstored-real.ts'

export interface Client {
  readonly name: string
  /** So many times that work: real ms. */
  run(work: string, count: number): Promise<number>
  stop(): Promise<void>
}

const NAMES: Readonly<Record<RealKind, string>> = { c: 'C xenstored', ocaml: 'oxenstored' }

async function realClient(kind: RealKind): Promise<Client | string> {
  const folder = mkdtempSync(join(tmpdir(), 'xenstored-'))
  const remove = (): void => rmSync(folder, { recursive: true, force: true })
  const daemon = await startRealXenstored(kind, folder)
  if (typeof daemon === 'string') {
    remove()
    return daemon
  }
  const program = compiledC('bench/xenstored-real/client.c', 'client')
  const child = spawn(program, [daemon.socket], { stdio: ['pipe', 'pipe', 'inherit'] })
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]()
  return {
    name: NAMES[kind],
    run: async (work, count) => {
      child.stdin.write(`${work} ${count}\n`)
      const { value, done } = await lines.next()
      if (done) throw new Error(`${NAMES[kind]}: its client has ended at ${work}`)
      return Number(value.split(' ')[1]) / 1e6
    },
    stop: async () => {
      child.stdin.end()
      await daemon.stop()
      remove()
    },
  }
}

/** Those that this machine has. Of the others it is said why not. */
export async function realClients(): Promise<Client[]> {
  const clients: Client[] = []
  for (const kind of ['c', 'ocaml'] as const) {
    const client = await realClient(kind)
    if (typeof client === 'string') process.stderr.write(`SKIPPED: ${client}\n`)
    else clients.push(client)
  }
  return clients
}
