/** MD5 (RFC 1321) and the password hash made of it, `$1$salt$...`, as FreeBSD's crypt(3), glibc's and GRUB's stage2/md5.c have it. */
import { byteString, bytesOfString } from './utf8.ts'

const SHIFTS = [7, 12, 17, 22, 5, 9, 14, 20, 4, 11, 16, 23, 6, 10, 15, 21]
/** floor(2^32 * |sin(i + 1)|), as RFC 1321 lists them. */
const CONSTANTS = [
  0xd76aa478, 0xe8c7b756, 0x242070db, 0xc1bdceee, 0xf57c0faf, 0x4787c62a, 0xa8304613, 0xfd469501, 0x698098d8,
  0x8b44f7af, 0xffff5bb1, 0x895cd7be, 0x6b901122, 0xfd987193, 0xa679438e, 0x49b40821, 0xf61e2562, 0xc040b340,
  0x265e5a51, 0xe9b6c7aa, 0xd62f105d, 0x02441453, 0xd8a1e681, 0xe7d3fbc8, 0x21e1cde6, 0xc33707d6, 0xf4d50d87,
  0x455a14ed, 0xa9e3e905, 0xfcefa3f8, 0x676f02d9, 0x8d2a4c8a, 0xfffa3942, 0x8771f681, 0x6d9d6122, 0xfde5380c,
  0xa4beea44, 0x4bdecfa9, 0xf6bb4b60, 0xbebfbc70, 0x289b7ec6, 0xeaa127fa, 0xd4ef3085, 0x04881d05, 0xd9d4d039,
  0xe6db99e5, 0x1fa27cf8, 0xc4ac5665, 0xf4292244, 0x432aff97, 0xab9423a7, 0xfc93a039, 0x655b59c3, 0x8f0ccc92,
  0xffeff47d, 0x85845dd1, 0x6fa87e4f, 0xfe2ce6e0, 0xa3014314, 0x4e0811a1, 0xf7537e82, 0xbd3af235, 0x2ad7d2bb,
  0xeb86d391,
]
const BLOCK_BYTES = 64

export function md5(message: Uint8Array): Uint8Array {
  const padded = new Uint8Array(Math.ceil((message.length + 9) / BLOCK_BYTES) * BLOCK_BYTES)
  padded.set(message)
  padded[message.length] = 0x80
  const view = new DataView(padded.buffer)
  view.setUint32(padded.length - 8, message.length * 8, true)
  view.setUint32(padded.length - 4, Math.floor(message.length / 2 ** 29), true)
  const state = [0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476]
  for (let block = 0; block < padded.length; block += BLOCK_BYTES) {
    let [a, b, c, d] = state as [number, number, number, number]
    for (let i = 0; i < 64; i++) {
      const round = i >> 4
      const mix =
        round === 0 ? (b & c) | (~b & d) : round === 1 ? (d & b) | (~d & c) : round === 2 ? b ^ c ^ d : c ^ (b | ~d)
      const word = [i, 5 * i + 1, 3 * i + 5, 7 * i][round]! % 16
      const sum = (a + mix + CONSTANTS[i]! + view.getUint32(block + 4 * word, true)) | 0
      const shift = SHIFTS[round * 4 + (i % 4)]!
      a = d
      d = c
      c = b
      b = (b + ((sum << shift) | (sum >>> (32 - shift)))) | 0
    }
    state[0] = (state[0]! + a) | 0
    state[1] = (state[1]! + b) | 0
    state[2] = (state[2]! + c) | 0
    state[3] = (state[3]! + d) | 0
  }
  const digest = new Uint8Array(16)
  const words = new DataView(digest.buffer)
  state.forEach((word, i) => {
    words.setInt32(4 * i, word, true)
  })
  return digest
}

const PREFIX = '$1$'
const SALT_MAX = 8
const ROUNDS = 1000
const BASE64 = './0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
/** Which bytes of the digest make four characters each. */
const TRIPLES = [
  [0, 6, 12],
  [1, 7, 13],
  [2, 8, 14],
  [3, 9, 15],
  [4, 10, 5],
] as const

const md5Text = (text: string): string => byteString(md5(bytesOfString(text)))

/** The hash of `key` with the salt that `setting` begins with: a salt `$1$salt$` or a whole hash. '' for anything else. */
export function md5Crypt(key: string, setting: string): string {
  const steps = md5CryptSteps(key, setting)
  for (;;) {
    const step = steps.next()
    if (step.done) return step.value
  }
}

/** The same for programs: a thousand rounds are long enough to be preempted in, which only generators can be. */
export function* md5CryptSteps(key: string, setting: string): Generator<undefined, string, unknown> {
  if (!setting.startsWith(PREFIX)) return ''
  const salt = (setting.slice(PREFIX.length).split('$')[0] ?? '').slice(0, SALT_MAX)
  const inner = md5Text(key + salt + key)
  let text = key + PREFIX + salt
  for (let left = key.length; left > 0; left -= 16) text += inner.slice(0, Math.min(16, left))
  for (let bits = key.length; bits > 0; bits >>= 1) text += bits & 1 ? '\0' : key.slice(0, 1)
  let digest = md5Text(text)
  for (let i = 0; i < ROUNDS; i++) {
    const [first, last] = i & 1 ? [key, digest] : [digest, key]
    digest = md5Text(first + (i % 3 === 0 ? '' : salt) + (i % 7 === 0 ? '' : key) + last)
  }
  const byte = (at: number): number => digest.charCodeAt(at)
  const characters = (value: number, count: number): string => {
    let out = ''
    for (let i = 0; i < count; i++) out += BASE64[(value >> (6 * i)) & 0x3f]
    return out
  }
  let hash = ''
  for (const [high, middle, low] of TRIPLES) hash += characters((byte(high) << 16) | (byte(middle) << 8) | byte(low), 4)
  return `${PREFIX}${salt}$${hash}${characters(byte(11), 2)}`
}
