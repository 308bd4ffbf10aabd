/** cksum(1) (POSIX's CRC) and sum(1) (BSD's and System V's). */
import type { Sys } from '#abi/posix/syscalls.ts'
import { eachInput } from '../coreutils/inputs.ts'
import { CHUNK } from '../libc/stdio.ts'
import { read } from '../libc/syscall.ts'
import { utility } from '../libc/utility.ts'

const COMMON = `      --help     display this help and exit
      --version  output version information and exit

Report bugs to <bug-coreutils@gnu.org>.`

/** CRC-32 with polynomial 0x04c11db7, most significant bit first. Made when it is needed: each exec evaluates the whole package. */
const crcTable = () =>
  Int32Array.from({ length: 256 }, (_, index) => {
    let crc = index << 24
    for (let bit = 0; bit < 8; bit++) crc = crc < 0 ? (crc << 1) ^ 0x04c11db7 : crc << 1
    return crc
  })

function crc(table: Int32Array, start: number, bytes: Uint8Array): number {
  let value = start
  for (let i = 0; i < bytes.length; i++) value = (value << 8) ^ table[(value >>> 24) ^ bytes[i]!]!
  return value
}

/** All bytes of a file through `step`. */
function* fold(fd: number, step: (bytes: Uint8Array) => void): Sys<number> {
  let length = 0
  for (;;) {
    const part = yield* read(fd, CHUNK)
    if (part.length === 0) return length
    length += part.length
    step(part)
  }
}

export const cksum = utility({
  name: 'cksum',
  usage: 'cksum [FILE]...\ncksum [OPTION]',
  help: `Print CRC checksum and byte counts of each FILE.

${COMMON}`,
  *main(run) {
    const table = crcTable()
    yield* eachInput(run, function* (fd, name) {
      let value = 0
      const length = yield* fold(fd, (bytes) => {
        value = crc(table, value, bytes)
      })
      for (let left = length; left > 0; left = Math.floor(left / 256))
        value = crc(table, value, Uint8Array.of(left & 255))
      yield* run.out.line(`${~value >>> 0} ${length}${run.operands.length > 0 ? ` ${name}` : ''}`)
    })
    return run.status
  },
})

function bsd(start: number, bytes: Uint8Array): number {
  let sum = start
  for (let i = 0; i < bytes.length; i++) sum = (((sum >> 1) | ((sum & 1) << 15)) + bytes[i]!) & 0xffff
  return sum
}

function total(bytes: Uint8Array): number {
  let sum = 0
  for (let i = 0; i < bytes.length; i++) sum += bytes[i]!
  return sum
}

export const sum = utility({
  name: 'sum',
  usage: 'sum [OPTION]... [FILE]...',
  help: `Print checksum and block counts for each FILE.

  -r              defeat -s, use BSD sum algorithm, use 1K blocks
  -s, --sysv      use System V sum algorithm, use 512 bytes blocks
${COMMON}

With no FILE, or when FILE is -, read standard input.`,
  short: 'rs',
  long: { sysv: 's' },
  *main(run) {
    const sysv = run.options.findLast(({ code }) => code === 'r' || code === 's')?.code === 's'
    yield* eachInput(run, function* (fd, name) {
      let value = 0
      const length = yield* fold(fd, (bytes) => {
        value = sysv ? (value + total(bytes)) % 2 ** 32 : bsd(value, bytes)
      })
      if (sysv) {
        const once = (value & 0xffff) + (value >>> 16)
        const shown = (once & 0xffff) + (once >>> 16)
        yield* run.out.line(`${shown} ${Math.ceil(length / 512)}${run.operands.length > 0 ? ` ${name}` : ''}`)
      } else {
        const line = `${String(value).padStart(5, '0')} ${String(Math.ceil(length / 1024)).padStart(5)}`
        yield* run.out.line(run.operands.length > 1 ? `${line} ${name}` : line)
      }
    })
    return run.status
  },
})
