/** What a kernel finds at EBX, read back the way a kernel reads it. */
import { MBI_MODULES, MULTIBOOT_LOADER_MAGIC, memory_map, module_t, multiboot_info } from '#abi/pc/multiboot.ts'
import type { BootRig } from './boot-rig.ts'

/** Undefined unless the rig ended in a jump to a multiboot kernel. */
export function multibootInfo({ exit, mem }: BootRig) {
  if (exit?.kind !== 'jump' || exit.regs.eax !== MULTIBOOT_LOADER_MAGIC) return undefined
  const info = multiboot_info.read(mem, exit.regs.ebx!)
  const text = (at: number): string => {
    let result = ''
    for (let i = at; mem.read8(i) !== 0; i++) result += String.fromCharCode(mem.read8(i))
    return result
  }
  const count = info.flags & MBI_MODULES ? info.mods_count : 0
  const modules = Array.from({ length: count }, (_, i) => {
    const { mod_start, mod_end, string } = module_t.read(mem, info.mods_addr + i * module_t.size)
    return { start: mod_start, bytes: mem.copyOut(mod_start, mod_end - mod_start), commandLine: text(string) }
  })
  const map: { base: number; length: number; type: number }[] = []
  for (let at = info.mmap_addr; at < info.mmap_addr + info.mmap_length; ) {
    const { size, base_addr, length, type } = memory_map.read(mem, at)
    map.push({ base: Number(base_addr), length: Number(length), type })
    at += size + 4
  }
  return { info, commandLine: text(info.cmdline), loader: text(info.boot_loader_name), modules, map }
}
