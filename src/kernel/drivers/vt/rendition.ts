/** Graphic rendition on a VGA (Linux 2.6.18: vt.c csi_m and update_attr, vgacon_build_attr): what SGR says, as an attribute byte. */

/** ANSI's order of colours to VGA's. */
const COLORS = [0, 4, 2, 6, 1, 5, 3, 7]

export interface SavedRendition {
  readonly intensity: number
  readonly underline: boolean
  readonly blink: boolean
  readonly reverse: boolean
  readonly color: number
}

export class Rendition {
  /** Of what is written now. */
  attr = 0x07
  /** What erasing leaves. */
  blank = 0x0720
  #defaultColor = 0x07
  #underlineColor = 0x0f
  #halfColor = 0x08
  #color = 0x07
  #intensity = 1
  #underline = false
  #blink = false
  #reverse = false
  #screenReversed = false

  /** One parameter of SGR. False: it is none of the colours and shapes. */
  select(par: number): boolean {
    switch (par) {
      case 0:
        this.defaults()
        return true
      case 1:
        this.#intensity = 2
        return true
      case 2:
        this.#intensity = 0
        return true
      case 4:
      case 24:
        this.#underline = par === 4
        return true
      case 5:
      case 25:
        this.#blink = par === 5
        return true
      case 7:
      case 27:
        this.#reverse = par === 7
        return true
      case 21:
      case 22:
        this.#intensity = 1
        return true
      case 38:
      case 39:
        this.#color = (this.#defaultColor & 0x0f) | (this.#color & 0xf0)
        this.#underline = par === 38
        return true
      case 49:
        this.#color = (this.#defaultColor & 0xf0) | (this.#color & 0x0f)
        return true
    }
    if (par >= 30 && par <= 37) this.#color = COLORS[par - 30]! | (this.#color & 0xf0)
    else if (par >= 40 && par <= 47) this.#color = (COLORS[par - 40]! << 4) | (this.#color & 0x0f)
    else return false
    return true
  }

  defaults(): void {
    this.#intensity = 1
    this.#underline = false
    this.#blink = false
    this.#reverse = false
    this.#color = this.#defaultColor
    this.update()
  }

  update(): void {
    this.attr = this.#build(this.#intensity, this.#blink, this.#underline, this.#reverse !== this.#screenReversed)
    this.blank = (this.#build(1, this.#blink, false, this.#screenReversed) << 8) | 0x20
  }

  /** CSI 1 ; n ]: what underlined looks like. CSI 2 ; n ]: dim. CSI 8 ]: what is set now is the default. */
  setUnderlineColor(index: number): void {
    this.#underlineColor = color16(index)
    this.update()
  }

  setHalfColor(index: number): void {
    this.#halfColor = color16(index)
    this.update()
  }

  storeDefault(): void {
    this.#defaultColor = this.#screenReversed ? swapColors(this.attr) : this.attr
    this.defaults()
  }

  /** DECSCNM. False: it is so already. */
  reverseScreen(on: boolean): boolean {
    if (this.#screenReversed === on) return false
    this.#screenReversed = on
    this.update()
    return true
  }

  save(): SavedRendition {
    return {
      intensity: this.#intensity,
      underline: this.#underline,
      blink: this.#blink,
      reverse: this.#reverse,
      color: this.#color,
    }
  }

  restore(saved: SavedRendition): void {
    this.#intensity = saved.intensity
    this.#underline = saved.underline
    this.#blink = saved.blink
    this.#reverse = saved.reverse
    this.#color = saved.color
    this.update()
  }

  #build(intensity: number, blink: boolean, underline: boolean, reverse: boolean): number {
    let attr = this.#color
    if (underline) attr = (attr & 0xf0) | this.#underlineColor
    else if (intensity === 0) attr = (attr & 0xf0) | this.#halfColor
    if (reverse) attr = swapColors(attr)
    if (blink) attr ^= 0x80
    if (intensity === 2) attr ^= 0x08
    return attr
  }
}

/** Foreground and background change places; bright and blinking stay. */
const swapColors = (attr: number): number => (attr & 0x88) | (((attr >> 4) | (attr << 4)) & 0x77)

/** Sixteen colours in ANSI's order. */
const color16 = (index: number): number => (index & 8) | COLORS[index & 7]!
