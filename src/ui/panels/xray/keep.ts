/** How much of the schedule is kept, as somebody chose it here before. */
import { load, save } from '../../saved.ts'

export const KEEP_SECONDS = [10, 60, 300, 1800]
const KEEP_DEFAULT = 60

export function keptSeconds(): number {
  const saved = Number(load('xray-keep'))
  return KEEP_SECONDS.includes(saved) ? saved : KEEP_DEFAULT
}

export const saveKeep = (seconds: number): void => save('xray-keep', String(seconds))
