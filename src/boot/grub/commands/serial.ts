import { Err, fail } from '../errors.ts'
import type { LineSettings } from '../terminal/serial.ts'
import { parseNumber, skipTo } from '../text.ts'
import type { Command } from './command.ts'

const UNITS_MAX = 3

export const serial: Command = {
  name: 'serial',
  usage:
    'serial [--unit=UNIT] [--port=PORT] [--speed=SPEED] [--word=WORD] [--parity=PARITY] [--stop=STOP] [--device=DEV]',
  help:
    'Initialize a serial device. UNIT is a digit that specifies which serial' +
    ' device is used (e.g. 0 == COM1). If you need to specify the port number,' +
    ' set it by --port. SPEED is the DTE-DTE speed. WORD is the word length,' +
    " PARITY is the type of parity, which is one of `no', `odd' and `even'." +
    ' STOP is the length of stop bit(s). The option --device can be used only' +
    ' in the grub shell, which specifies the file name of a tty device. The' +
    ' default values are COM1, 9600, 8N1.',
  listed: true,
  run({ tty }, arg) {
    const line = tty.serial
    let settings: LineSettings = { port: line.portOf(0), speed: 9600, word: 8, parity: 'no', stop: 1 }
    for (let rest = arg; ; rest = skipTo(rest)) {
      const [, name, value = ''] = /^--(unit|speed|port|word|stop|parity)=(.*)$/.exec(rest) ?? []
      if (name === undefined) break
      if (name === 'parity') {
        const parity = (['no', 'odd', 'even'] as const).find((word) => value.startsWith(word))
        settings = { ...settings, parity: parity ?? fail(Err.badArgument) }
        continue
      }
      const number = parseNumber(value).value
      if (name === 'unit')
        settings = { ...settings, port: number > UNITS_MAX ? fail(Err.devValues) : line.portOf(number) }
      else if (name === 'speed') settings = { ...settings, speed: number }
      else if (name === 'port') settings = { ...settings, port: number & 0xffff }
      else if (name === 'word')
        settings = { ...settings, word: number >= 5 && number <= 8 ? number : fail(Err.badArgument) }
      else settings = { ...settings, stop: number === 1 || number === 2 ? number : fail(Err.badArgument) }
    }
    if (!line.setUp(settings)) fail(Err.badArgument)
  },
}
