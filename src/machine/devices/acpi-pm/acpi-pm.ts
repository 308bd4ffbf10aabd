/**
 * ACPI's fixed hardware (ACPI 2.0, 4.7.3): PM1a event and control registers and the PM timer. The machine is always in ACPI mode
 * (there is no SMI command port).
 */
import { PM_TIMER_HZ, PM1_SCI_EN, PM1_SLP_EN, PM1_SLP_TYP_SHIFT, PM1_TMR, SLP_TYP_S5 } from '#abi/pc/acpi.ts'
import type { Chip, Line } from '../../device.ts'
import type { Clock, Timer } from '../../events.ts'
import { nsOfTick, ticksAt } from '../../ticks.ts'

export interface AcpiPmPins {
  readonly clock: Clock
  readonly sci: Line
  readonly powerOff: () => void
}

export interface AcpiPmState {
  enable: number
  control: number
  /** Half periods of the 24-bit timer (changes of its highest bit) that TMR_STS has been cleared for. */
  halvesSeen: number
}

export interface AcpiPm extends Chip<AcpiPmState> {
  /** Offsets from the event block: 0 status, 2 enable, 4 control (16 bits each), 8 timer (32 bits). */
  read(offset: number, bytes: 1 | 2 | 4): number
  write(offset: number, bytes: 1 | 2 | 4, value: number): void
}

const HALF_TICKS = 2 ** 23

export function acpiPm({ clock, sci, powerOff }: AcpiPmPins): AcpiPm {
  const initialState = (): AcpiPmState => ({ enable: 0, control: PM1_SCI_EN, halvesSeen: 0 })
  const state = initialState()
  let timer: Timer | undefined

  const halves = (): number => Math.floor(ticksAt(clock.now(), PM_TIMER_HZ) / HALF_TICKS)
  const status = (): number => (halves() > state.halvesSeen ? PM1_TMR : 0)

  /** The SCI follows status and enable; while TMR_EN is off nobody needs the event. */
  function settle(): void {
    sci((status() & state.enable) !== 0)
    if (timer) clock.cancel(timer)
    timer = undefined
    if (state.enable & PM1_TMR && status() === 0)
      timer = clock.at(nsOfTick((state.halvesSeen + 1) * HALF_TICKS, PM_TIMER_HZ), settle)
  }

  function readWord(offset: number): number {
    if (offset === 0) return status()
    if (offset === 2) return state.enable
    if (offset === 4) return state.control
    const ticks = ticksAt(clock.now(), PM_TIMER_HZ) % 2 ** 24
    return offset === 8 ? ticks & 0xffff : offset === 10 ? ticks >>> 16 : 0
  }

  function writeWord(offset: number, value: number): void {
    if (offset === 0) {
      if (value & PM1_TMR) state.halvesSeen = halves()
      settle()
    } else if (offset === 2) {
      state.enable = value & PM1_TMR
      settle()
    } else if (offset === 4) {
      // SLP_EN reads as zero; SCI_EN is not ours to change.
      state.control = (value & ~PM1_SLP_EN & 0x1c06) | PM1_SCI_EN
      if (value & PM1_SLP_EN && ((value >> PM1_SLP_TYP_SHIFT) & 7) === SLP_TYP_S5) powerOff()
    }
  }

  return {
    state,
    read(offset, bytes) {
      if (bytes === 4) return (readWord(offset) | (readWord(offset + 2) << 16)) >>> 0
      const word = readWord(offset & ~1)
      return bytes === 2 ? word : (word >> (8 * (offset & 1))) & 0xff
    },
    write(offset, bytes, value) {
      if (bytes === 1) {
        // Status bits are cleared by ones: a byte write must not touch the other byte's.
        const kept = offset & ~1 ? readWord(offset & ~1) & (offset & 1 ? 0x00ff : 0xff00) : 0
        writeWord(offset & ~1, kept | (value << (8 * (offset & 1))))
        return
      }
      writeWord(offset, value & 0xffff)
      if (bytes === 4) writeWord(offset + 2, value >>> 16)
    },
    reset() {
      if (timer) clock.cancel(timer)
      timer = undefined
      Object.assign(state, initialState(), { halvesSeen: halves() })
      sci(false)
    },
  }
}
