/** Python 2.4's float: what xmlrpclib sends as a double, and its str() and repr(). */

/** A Python float: JavaScript does not tell 1.0 from 1. */
export class Float {
  readonly value: number
  constructor(value: number) {
    this.value = value
  }
}

/** printf's %.<digits>g, with `.0` where Python puts it. */
function general(value: number, digits: number): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? 'nan' : value < 0 ? '-inf' : 'inf'
  const [mantissa = '', exponent = '0'] = value.toExponential(digits - 1).split('e')
  const power = Number(exponent)
  if (power < -4 || power >= digits) {
    const sign = power < 0 ? '-' : '+'
    return `${withoutZeros(mantissa)}e${sign}${String(Math.abs(power)).padStart(2, '0')}`
  }
  const text = withoutZeros(value.toFixed(Math.max(0, digits - 1 - power)))
  return text.includes('.') ? text : `${text}.0`
}

const withoutZeros = (text: string): string => (text.includes('.') ? text.replace(/\.?0+$/, '') : text)

/** str(float): twelve digits. */
export const floatStr = (value: number): string => general(value, 12)

/** repr(float): the shortest text that reads back as the same number. */
export function floatRepr(value: number): string {
  if (!Number.isFinite(value)) return general(value, 17)
  const [mantissa = '', exponent = '0'] = value.toExponential().split('e')
  const digits = mantissa.replace(/[-.]/g, '').length
  const power = Number(exponent)
  return power < -4 || power >= 16 ? general(value, digits) : general(value, Math.max(digits, power + 1))
}
