/** What an import would change, and doing it: by the daemon, in one transaction, so that there is never half of it. */
import { type XenstoreClient, XenstoreError, type XenstoreRequests } from '#protocol/xenstore-client.ts'
import { isBelow } from '../rows.ts'
import { type Comparable, type Difference, diff } from './diff.ts'

export interface Refused {
  readonly path: string
  /** The daemon's. */
  readonly word: string
}

/** The daemon has refused some of it, so nothing was done. */
export class ImportRefused extends Error {
  override readonly name = 'ImportRefused'
  readonly refused: readonly Refused[]

  constructor(refused: readonly Refused[]) {
    super('refused')
    this.refused = refused
  }
}

/** `others`: what is there and not in the file goes. */
export function planImport(
  now: Comparable | undefined,
  wanted: Comparable,
  path: string,
  others: boolean,
): readonly Difference[] {
  const all = diff(now, wanted, path)
  return others ? all : all.filter(({ after }) => after !== undefined)
}

/** As few requests as will do, in an order in which parents come first. */
async function carryOut(xs: XenstoreRequests, plan: readonly Difference[]): Promise<void> {
  const refused: Refused[] = []
  const asked: Promise<void>[] = []
  const ask = (path: string, request: Promise<void>): void => {
    asked.push(
      request.catch((error: unknown) => {
        if (!(error instanceof XenstoreError)) throw error
        refused.push({ path, word: error.message })
      }),
    )
  }
  let removed: string | undefined
  for (const { path, before, after } of plan) {
    if (!after) {
      // With it goes what is below it.
      if (removed !== undefined && isBelow(path, removed)) continue
      removed = path
      ask(path, xs.rm(path))
      continue
    }
    if (before?.value !== after.value) ask(path, xs.write(path, after.value))
    if (before?.perms !== after.perms) ask(path, xs.setPerms(path, after.perms.split(',')))
  }
  await Promise.all(asked)
  if (refused.length > 0) throw new ImportRefused(refused)
}

export const applyImport = (client: XenstoreClient, plan: readonly Difference[]): Promise<void> =>
  client.transaction((xs) => carryOut(xs, plan))
