/**
 * The keyboard controller and the keyboard behind it (Linux 2.6.18: drivers/input/serio/i8042.c, keyboard/atkbd.c). What a keyboard answers takes
 * milliseconds: the thread kseriod asks it, as there.
 */
import {
  I8042_CMD_ENABLE_KEYBOARD,
  I8042_CMD_READ_CONFIG,
  I8042_CMD_WRITE_CONFIG,
  I8042_COMMAND,
  I8042_CONFIG_DISABLED,
  I8042_CONFIG_IRQ,
  I8042_CONFIG_TRANSLATE,
  I8042_DATA,
  I8042_STATUS,
  I8042_STATUS_IBF,
  I8042_STATUS_OBF,
  KEYBOARD_ACK,
  KEYBOARD_IRQ,
  KEYBOARD_RESEND,
} from '#abi/pc/i8042.ts'
import { Errno } from '../../errno.ts'
import type { Initcall, Kernel } from '../../kernel.ts'
import { type Sleeping, WaitQueue } from '../../sched/wait.ts'
import { ttysOf } from '../../tty/core.ts'
import type { VirtualTerminals } from '../vt/vt.ts'
import { Keyboard } from './keyboard.ts'

/** Looks at the status register while the controller itself answers. */
const POLLS_MAX = 10_000
const FLUSH_MAX = 16
/** One interrupt takes at most so many bytes: the controller holds one, the keyboard sixteen. */
const DRAIN_MAX = 32
const COMMAND_TIMEOUT_NS = 200_000_000
const ATKBD_CMD_SETLEDS = 0xed
const ATKBD_CMD_GETID = 0xf2
const ATKBD_CMD_ENABLE = 0xf4
const CONFIG_AUX_IRQ = 0x02
const CONFIG_AUX_DISABLED = 0x20

class I8042 {
  readonly #kernel: Kernel
  /** Bytes that answer a command, while one is under way. */
  #answers: number[] | undefined
  #awaitsAck = false
  readonly #answered = new WaitQueue()
  receive: ((byte: number) => void) | undefined

  constructor(kernel: Kernel) {
    this.#kernel = kernel
  }

  get #status(): number {
    return this.#kernel.vcpu.io.in8(I8042_STATUS)
  }

  /** Throw away what waits. False: there is no end to it, so there is no controller. */
  flush(): boolean {
    for (let i = 0; i <= FLUSH_MAX; i++) {
      if ((this.#status & I8042_STATUS_OBF) === 0) return true
      this.#kernel.vcpu.io.in8(I8042_DATA)
    }
    return false
  }

  #untilTaken(): boolean {
    for (let i = 0; i < POLLS_MAX; i++) if ((this.#status & I8042_STATUS_IBF) === 0) return true
    return false
  }

  #write(port: number, value: number): boolean {
    if (!this.#untilTaken()) return false
    this.#kernel.vcpu.io.out8(port, value)
    return true
  }

  readConfig(): number | undefined {
    if (!this.#write(I8042_COMMAND, I8042_CMD_READ_CONFIG)) return undefined
    for (let i = 0; i < POLLS_MAX; i++) if (this.#status & I8042_STATUS_OBF) return this.#kernel.vcpu.io.in8(I8042_DATA)
    return undefined
  }

  writeConfig(value: number): boolean {
    return this.#write(I8042_COMMAND, I8042_CMD_WRITE_CONFIG) && this.#write(I8042_DATA, value)
  }

  enable(): boolean {
    return this.#write(I8042_COMMAND, I8042_CMD_ENABLE_KEYBOARD)
  }

  interrupt(): void {
    for (let i = 0; i < DRAIN_MAX && (this.#status & I8042_STATUS_OBF) !== 0; i++) {
      const byte = this.#kernel.vcpu.io.in8(I8042_DATA)
      // ps2_handle_ack: before the acknowledgement, other bytes are still keys.
      if (this.#answers && (!this.#awaitsAck || byte === KEYBOARD_ACK || byte === KEYBOARD_RESEND)) {
        this.#answers.push(byte)
        this.#answered.wakeUp()
      } else this.receive?.(byte)
    }
  }

  /** ps2_command: each byte is acknowledged, then come `count` of answer. Undefined: the keyboard does not, or not in time. */
  *command(bytes: readonly number[], count: number): Sleeping<readonly number[] | undefined> {
    const answers: number[] = []
    this.#answers = answers
    this.#awaitsAck = true
    try {
      for (const [i, byte] of bytes.entries()) {
        if (!this.#write(I8042_DATA, byte)) return undefined
        if (!(yield* this.#answersCame(i + 1)) || answers[i] !== KEYBOARD_ACK) return undefined
      }
      this.#awaitsAck = false
      if (!(yield* this.#answersCame(bytes.length + count))) return undefined
      return answers.slice(bytes.length, bytes.length + count)
    } finally {
      this.#answers = undefined
      // What came too many is no answer: a key was pressed meanwhile.
      for (const byte of answers.slice(bytes.length + count)) this.receive?.(byte)
    }
  }

  *#answersCame(count: number): Sleeping<boolean> {
    const { sched } = this.#kernel
    while (this.#answers!.length < count) {
      const woken = yield* sched.sleepOn(this.#answered, { timeoutNs: COMMAND_TIMEOUT_NS })
      if (woken === 'timeout' && this.#answers!.length < count) return false
    }
    return true
  }
}

/** i8042_init, and the thread that finds the keyboard and keeps its LEDs. */
export const i8042Init: Initcall = function* i8042Init(kernel) {
  const { vts } = ttysOf(kernel)
  if (!kernel.dom0 || !vts) return
  kernel.log.printk('PNP: No PS/2 controller found. Probing ports directly.\n')
  const controller = new I8042(kernel)
  const config = controller.flush() ? controller.readConfig() : undefined
  if (config === undefined) {
    kernel.log.printk('i8042.c: No controller found.\n')
    return
  }
  const leds = { wanted: 0, shown: 0, changed: new WaitQueue() }
  const keyboard = new Keyboard(sinkOf(kernel, vts, leds))
  vts.keyboard = keyboard
  controller.receive = (byte) => keyboard.scan(byte)
  try {
    kernel.irq.requestPirq(KEYBOARD_IRQ, 'i8042', () => controller.interrupt())
  } catch (error) {
    if (!(error instanceof Errno)) throw error
    kernel.log.printk('i8042.c: No controller found.\n')
    return
  }
  const working =
    (config | I8042_CONFIG_IRQ | I8042_CONFIG_TRANSLATE | CONFIG_AUX_DISABLED) &
    ~(I8042_CONFIG_DISABLED | CONFIG_AUX_IRQ)
  if (!controller.writeConfig(working) || !controller.enable()) return
  kernel.log.printk('<6>serio: i8042 KBD port at 0x60,0x64 irq 1\n')
  kernel.sched.kthread('kseriod', function* () {
    const id = yield* controller.command([ATKBD_CMD_GETID], 2)
    if (!id) return
    yield* controller.command([ATKBD_CMD_ENABLE], 0)
    kernel.log.printk('<6>input: AT Translated Set 2 keyboard as /class/input/input0\n')
    for (;;) {
      while (leds.shown === leds.wanted) yield* kernel.sched.sleepOn(leds.changed)
      leds.shown = leds.wanted
      yield* controller.command([ATKBD_CMD_SETLEDS, leds.shown], 0)
    }
  })
}

function sinkOf(
  kernel: Kernel,
  vts: VirtualTerminals,
  leds: { wanted: number; readonly changed: WaitQueue },
): ConstructorParameters<typeof Keyboard>[0] {
  return {
    type: (bytes) => vts.current.type(bytes),
    get cursorKeysApplication() {
      return vts.current.terminal.cursorKeysApplication
    },
    get keypadApplication() {
      return vts.current.terminal.keypadApplication
    },
    get newLineMode() {
      return vts.current.terminal.newLineMode
    },
    switchTo: (index) => void vts.switchTo(index),
    step: (direction) => vts.step(direction),
    last: () => vts.last(),
    hold: () => vts.current.hold(),
    boot: () => kernel.ctrlAltDel(),
    setLeds(value) {
      leds.wanted = value
      leds.changed.wakeUp()
    },
  }
}
