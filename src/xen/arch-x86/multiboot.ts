/** The multiboot information that the loader left (abi/pc/multiboot.ts), copied out before anything overwrites it. */
import type { E820Entry } from '#abi/pc/bios.ts'
import type { Metal } from '#abi/pc/metal.ts'
import { MBI_CMDLINE, MBI_MEMMAP, MBI_MODULES, memory_map, module_t, multiboot_info } from '#abi/pc/multiboot.ts'

/** A string that the loader handed over is cut here. */
const CMDLINE_MAX = 4096
const MEMMAP_ENTRIES_MAX = 128
const MODULES_MAX = 64

export interface Module {
  readonly start: number
  readonly end: number
  readonly string: string | undefined
}

export interface MultibootInfo {
  readonly cmdline: string
  readonly modules: readonly Module[]
  /** From the loader: used only when the BIOS has none. */
  readonly memmap: readonly E820Entry[]
  readonly lowerKib: number
  readonly upperKib: number
  readonly flags: number
}

function cString(metal: Metal, at: number): string {
  let text = ''
  for (let i = 0; i < CMDLINE_MAX; i++) {
    const byte = metal.mem.read8(at + i)
    if (byte === 0) break
    text += String.fromCharCode(byte)
  }
  return text
}

export function readMultiboot(metal: Metal, at: number): MultibootInfo {
  const { mem } = metal
  const mbi = multiboot_info.read(mem, at)
  const modules: Module[] = []
  if (mbi.flags & MBI_MODULES) {
    for (let i = 0; i < Math.min(mbi.mods_count, MODULES_MAX); i++) {
      const { mod_start, mod_end, string } = module_t.read(mem, mbi.mods_addr + i * module_t.size)
      modules.push({ start: mod_start, end: mod_end, string: string === 0 ? undefined : cString(metal, string) })
    }
  }
  const memmap: E820Entry[] = []
  if (mbi.flags & MBI_MEMMAP) {
    for (let offset = 0; offset < mbi.mmap_length && memmap.length < MEMMAP_ENTRIES_MAX; ) {
      const entry = memory_map.read(mem, mbi.mmap_addr + offset)
      memmap.push({ base: Number(entry.base_addr), length: Number(entry.length), type: entry.type })
      offset += entry.size + 4
    }
  }
  return {
    cmdline: mbi.flags & MBI_CMDLINE ? cString(metal, mbi.cmdline) : '',
    modules,
    memmap,
    lowerKib: mbi.mem_lower,
    upperKib: mbi.mem_upper,
    flags: mbi.flags,
  }
}
