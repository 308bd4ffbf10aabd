/** MD5 (RFC 1321) and SHA-1 (RFC 3174), fed by chunks. */

export interface Hash {
  update(bytes: Uint8Array): void
  hex(): string
}

const rotate = (x: number, n: number): number => (x << n) | (x >>> (32 - n))

/** Collects blocks of 64 bytes, and pads the last. */
function blockwise(little: boolean, words: Int32Array, block: (view: DataView, at: number) => void): Hash {
  const held = new Uint8Array(64)
  const heldView = new DataView(held.buffer)
  let fill = 0
  let total = 0
  const update = (bytes: Uint8Array): void => {
    total += bytes.length
    let at = 0
    if (fill > 0) {
      at = Math.min(64 - fill, bytes.length)
      held.set(bytes.subarray(0, at), fill)
      fill += at
      if (fill < 64) return
      block(heldView, 0)
      fill = 0
    }
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    for (; at + 64 <= bytes.length; at += 64) block(view, at)
    held.set(bytes.subarray(at))
    fill = bytes.length - at
  }
  return {
    update,
    hex() {
      const bits = total * 8
      const padding = new Uint8Array((fill < 56 ? 64 : 128) - fill)
      padding[0] = 0x80
      const view = new DataView(padding.buffer)
      const end = padding.length
      const [low, high] = [bits >>> 0, Math.floor(bits / 2 ** 32)]
      view.setUint32(end - 8, little ? low : high, little)
      view.setUint32(end - 4, little ? high : low, little)
      update(padding)
      const out = new DataView(new ArrayBuffer(words.length * 4))
      words.forEach((word, i) => {
        out.setInt32(i * 4, word, little)
      })
      let text = ''
      for (let i = 0; i < out.byteLength; i++) text += out.getUint8(i).toString(16).padStart(2, '0')
      return text
    },
  }
}

const MD5_SHIFTS = [7, 12, 17, 22, 5, 9, 14, 20, 4, 11, 16, 23, 6, 10, 15, 21]

/** floor(2^32 |sin(i + 1)|), as the RFC lists them: engines differ in the last bit of a sine. */
const md5Table = () =>
  Int32Array.from(
    (
      'd76aa478 e8c7b756 242070db c1bdceee f57c0faf 4787c62a a8304613 fd469501 698098d8 8b44f7af ffff5bb1 895cd7be ' +
      '6b901122 fd987193 a679438e 49b40821 f61e2562 c040b340 265e5a51 e9b6c7aa d62f105d 02441453 d8a1e681 e7d3fbc8 ' +
      '21e1cde6 c33707d6 f4d50d87 455a14ed a9e3e905 fcefa3f8 676f02d9 8d2a4c8a fffa3942 8771f681 6d9d6122 fde5380c ' +
      'a4beea44 4bdecfa9 f6bb4b60 bebfbc70 289b7ec6 eaa127fa d4ef3085 04881d05 d9d4d039 e6db99e5 1fa27cf8 c4ac5665 ' +
      'f4292244 432aff97 ab9423a7 fc93a039 655b59c3 8f0ccc92 ffeff47d 85845dd1 6fa87e4f fe2ce6e0 a3014314 4e0811a1 ' +
      'f7537e82 bd3af235 2ad7d2bb eb86d391'
    )
      .split(' ')
      .map((word) => Number.parseInt(word, 16) | 0),
  )

/** RFC 1321. */
export function md5(): Hash {
  const table = md5Table()
  const state = Int32Array.of(0x67452301, 0xefcdab89 | 0, 0x98badcfe | 0, 0x10325476)
  const x = new Int32Array(16)
  return blockwise(true, state, (view, at) => {
    for (let i = 0; i < 16; i++) x[i] = view.getInt32(at + i * 4, true)
    let a = state[0]!
    let b = state[1]!
    let c = state[2]!
    let d = state[3]!
    for (let i = 0; i < 64; i++) {
      let f: number
      let g: number
      if (i < 16) {
        f = (b & c) | (~b & d)
        g = i
      } else if (i < 32) {
        f = (d & b) | (~d & c)
        g = (5 * i + 1) & 15
      } else if (i < 48) {
        f = b ^ c ^ d
        g = (3 * i + 5) & 15
      } else {
        f = c ^ (b | ~d)
        g = (7 * i) & 15
      }
      const sum = (a + f + table[i]! + x[g]!) | 0
      a = d
      d = c
      c = b
      b = (b + rotate(sum, MD5_SHIFTS[((i >> 4) << 2) | (i & 3)]!)) | 0
    }
    state[0]! += a
    state[1]! += b
    state[2]! += c
    state[3]! += d
  })
}

/** RFC 3174. */
export function sha1(): Hash {
  const state = Int32Array.of(0x67452301, 0xefcdab89 | 0, 0x98badcfe | 0, 0x10325476, 0xc3d2e1f0 | 0)
  const w = new Int32Array(80)
  return blockwise(false, state, (view, at) => {
    for (let i = 0; i < 16; i++) w[i] = view.getInt32(at + i * 4, false)
    for (let i = 16; i < 80; i++) w[i] = rotate(w[i - 3]! ^ w[i - 8]! ^ w[i - 14]! ^ w[i - 16]!, 1)
    let a = state[0]!
    let b = state[1]!
    let c = state[2]!
    let d = state[3]!
    let e = state[4]!
    for (let i = 0; i < 80; i++) {
      const f = i < 20 ? (b & c) | (~b & d) : i < 40 || i >= 60 ? b ^ c ^ d : (b & c) | (b & d) | (c & d)
      const k = i < 20 ? 0x5a827999 : i < 40 ? 0x6ed9eba1 : i < 60 ? 0x8f1bbcdc : 0xca62c1d6
      const next = (rotate(a, 5) + f + e + k + w[i]!) | 0
      e = d
      d = c
      c = rotate(b, 30)
      b = a
      a = next
    }
    state[0]! += a
    state[1]! += b
    state[2]! += c
    state[3]! += d
    state[4]! += e
  })
}
