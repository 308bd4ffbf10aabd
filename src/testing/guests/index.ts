/** The library of tiny test guests, by name. */
import { control } from './control.ts'
import { cpus } from './cpus.ts'
import { events } from './events.ts'
import { grants } from './grants.ts'
import { host } from './host.ts'
import type { TestGuest } from './kit.ts'
import { memory } from './memory.ts'
import { processor } from './processor.ts'
import { refused } from './refused.ts'

export const GUESTS: Readonly<Record<string, TestGuest>> = {
  ...events,
  ...grants,
  ...memory,
  ...cpus,
  ...processor,
  ...refused,
  ...control,
  ...host,
}
