/** What the serial lines have said since the machine was made, for `asciicast`. */
import { CastRecorder } from '#protocol/asciicast.ts'
import type { SerialLine } from '#protocol/machine.ts'
import type { PlaygroundHost } from './host.ts'

/** A serial line has no size: terminals are of this one (design D14). */
const COLUMNS = 80
const ROWS = 25
/** 2009-05-12T06:32:52Z, when every world begins (design D13). */
const EPOCH_SECONDS = 1242109972

export function createCasts(host: PlaygroundHost): (line: SerialLine) => string {
  const recorders = { com1: new CastRecorder(), com2: new CastRecorder() }
  let heardNs = 0
  host.onMessage((message) => {
    if (message.type === 'clock') {
      // Virtual time that goes back is that of another machine.
      if (message.nowNs < heardNs) for (const recorder of Object.values(recorders)) recorder.clear()
      heardNs = message.nowNs
    }
    if (message.type !== 'serial') return
    const { line, bytes, times } = message
    for (let i = 0; i < times.length; i += 2)
      recorders[line].add(times[i + 1] ?? 0, bytes.subarray(times[i], times[i + 2]))
  })
  return (line) =>
    recorders[line].cast({ columns: COLUMNS, rows: ROWS, title: line.toUpperCase(), timestamp: EPOCH_SECONDS })
}
