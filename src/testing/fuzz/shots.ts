/** What a hostile guest calls Xen with: hypercalls whose structs are laid out as Xen reads them, and what of the answers it keeps. */
import type { Mem } from '#abi/mem.ts'
import * as memory from '#abi/xen/memory.ts'
import * as physdev from '#abi/xen/physdev.ts'
import { SCHEDOP_remote_shutdown, sched_remote_shutdown } from '#abi/xen/sched.ts'
import * as vcpu from '#abi/xen/vcpu.ts'
import * as xen from '#abi/xen/xen.ts'
import * as xenoprof from '#abi/xen/xenoprof.ts'
import { eventChannel, grant } from './channel-shots.ts'
import type { Aim, Shot } from './shot.ts'
import { type AnyStruct, pageOf, remember, SLOT_PAGES, SLOTS, type Values, word } from './values.ts'

const MEMORY: Readonly<Record<number, AnyStruct>> = {
  [memory.XENMEM_machphys_mfn_list]: memory.xen_machphys_mfn_list,
  [memory.XENMEM_add_to_physmap]: memory.xen_add_to_physmap,
  [memory.XENMEM_translate_gpfn_list]: memory.xen_translate_gpfn_list,
  [memory.XENMEM_memory_map]: memory.xen_memory_map,
  [memory.XENMEM_machine_memory_map]: memory.xen_memory_map,
  [memory.XENMEM_machphys_mapping]: memory.xen_machphys_mapping,
  [memory.XENMEM_set_memory_map]: memory.xen_foreign_memory_map,
}

/** A reservation with its list behind it. */
function reservation(v: Values, mem: Mem, at: number, list: number, frames: boolean): number {
  const count = v.chance(40) ? v.odd() : v.lore.rng.below(5)
  for (let i = 0; i < 6; i++) mem.write64(list + 8 * i, BigInt(frames ? v.frame() : v.lore.rng.below(64)))
  v.struct(mem, at, memory.xen_memory_reservation, {
    extent_start: v.chance(24) ? v.pointer() : list,
    nr_extents: count,
    extent_order: v.chance(8) ? v.lore.rng.below(24) : v.chance(8) ? 1 : 0,
    mem_flags: v.chance(8) ? v.lore.rng.below(64) : 0,
    domid: v.chance(8) ? v.domid() : xen.DOMID_SELF,
  })
  return count
}

const memoryOp: Aim = (v, mem, at) => {
  const command = v.chance(3) ? v.lore.rng.below(16) : v.pick([0, 0, 1, 6, 6, 6, 11])
  const from = v.chance(20) ? v.lore.rng.below(6) * 64 : 0
  const list = at + 96
  let count = 0
  const isExchange = command === memory.XENMEM_exchange
  if (command === 0 || command === 1 || command === 6)
    count = reservation(v, mem, at, list, command === memory.XENMEM_decrease_reservation)
  else if (isExchange) {
    count = reservation(v, mem, at, list, true)
    reservation(v, mem, at + memory.XEN_MEMORY_EXCHANGE_OUT, at + 160, v.chance(2))
    if (v.chance(2)) mem.write64(at + 32 + 8, mem.read64(at + 8))
    mem.write64(at + 64, v.chance(16) ? 1n : 0n)
  } else
    v.struct(mem, at, MEMORY[command] ?? memory.xen_memory_reservation, v.chance(2) ? { domid: xen.DOMID_SELF } : {})
  return {
    nr: xen.__HYPERVISOR_memory_op,
    args: [command + from, at],
    command,
    learn(after, result) {
      const got = isExchange ? count : result
      const where = isExchange ? at + 160 : list
      if ((command === 0 || command === 6 || isExchange) && result >= 0 && got > 0)
        for (let i = 0; i < Math.min(got, 6); i++) {
          const mfn = after.read32(where + 8 * i)
          remember(v.lore.own, mfn)
        }
      return undefined
    },
  }
}

const VCPU: Readonly<Record<number, AnyStruct>> = {
  [vcpu.VCPUOP_register_runstate_memory_area]: vcpu.vcpu_register_runstate_memory_area,
  [vcpu.VCPUOP_set_periodic_timer]: vcpu.vcpu_set_periodic_timer,
  [vcpu.VCPUOP_set_singleshot_timer]: vcpu.vcpu_set_singleshot_timer,
  [vcpu.VCPUOP_register_vcpu_info]: vcpu.vcpu_register_vcpu_info,
}

const vcpuOp: Aim = (v, mem, at) => {
  let command = v.lore.rng.below(14)
  const id = v.chance(8) ? v.odd() : v.lore.rng.below(2)
  // Going down by itself is its right, and the end of its life.
  if (command === vcpu.VCPUOP_down && !v.chance(30)) command = vcpu.VCPUOP_is_up
  let where = at
  if (command === vcpu.VCPUOP_initialise) {
    where = pageOf(SLOTS + 1)
    const word64 = v.frame()
    mem.fill(where, vcpu.vcpu_guest_context.size, 0)
    vcpu.vcpu_guest_context.write(mem, where, {
      rsi: v.pointer(),
      rip: v.pointer(),
      ctrlreg3: BigInt(Math.floor(word64)) << 12n,
    })
    if (v.chance(3)) vcpu.vcpu_guest_context.fields.gdt_ents.set(mem, where, BigInt(v.lore.rng.below(8192)))
  } else v.struct(mem, at, VCPU[command] ?? vcpu.vcpu_runstate_info)
  return { nr: xen.__HYPERVISOR_vcpu_op, args: [command, id, v.chance(30) ? v.pointer() : where], command }
}

/** A page-table entry: a frame and rights. */
const pte = (v: Values): number =>
  v.chance(12) ? 0 : v.frame() * 4096 + (v.chance(10) ? v.lore.rng.below(4096) : v.pick([0x27, 0x25, 0x67, 0x65, 0x63]))

const updateVaMapping: Aim = (v) => ({
  nr: xen.__HYPERVISOR_update_va_mapping,
  args: [v.page() + (v.chance(8) ? v.lore.rng.below(4096) : 0), pte(v), v.chance(8) ? v.odd() : v.lore.rng.below(3)],
})

const updateOther: Aim = (v) => ({
  nr: xen.__HYPERVISOR_update_va_mapping_otherdomain,
  args: [v.page(), pte(v), 0, v.domid()],
})

const mmuUpdate: Aim = (v, mem, at) => {
  const count = 1 + v.lore.rng.below(3)
  for (let i = 0; i < count; i++) {
    const ptr = v.frame() * 4096 + v.lore.rng.below(512) * 8 + v.lore.rng.below(v.chance(8) ? 8 : 3)
    word(mem, at + 16 * i, 8, ptr)
    word(mem, at + 16 * i + 8, 8, v.chance(2) ? pte(v) : v.small())
  }
  return {
    nr: xen.__HYPERVISOR_mmu_update,
    args: [at, v.chance(40) ? v.odd() : count, v.chance(3) ? v.pointer() : 0, v.chance(3) ? v.domid() : xen.DOMID_SELF],
  }
}

const mmuext: Aim = (v, mem, at) => {
  const count = 1 + v.lore.rng.below(3)
  const command = v.lore.rng.below(18)
  for (let i = 0; i < count; i++)
    v.struct(mem, at + 24 * i, xen.mmuext_op, {
      cmd: i === 0 ? command : v.lore.rng.below(18),
      arg1: v.chance(3) ? v.pointer() : v.chance(4) ? v.lore.own[0]! : v.frame(),
    })
  return {
    nr: xen.__HYPERVISOR_mmuext_op,
    args: [at, v.chance(40) ? v.odd() : count, v.chance(3) ? v.pointer() : 0, v.chance(3) ? v.domid() : xen.DOMID_SELF],
    command,
  }
}

const PHYSDEV: readonly AnyStruct[] = [
  physdev.physdev_eoi,
  physdev.physdev_irq_status_query,
  physdev.physdev_set_iopl,
  physdev.physdev_set_iobitmap,
  physdev.physdev_apic,
  physdev.physdev_irq,
]

const physdevOp: Aim = (v, mem, at) => {
  const command = v.lore.rng.below(18)
  const compat = v.chance(4)
  v.struct(mem, compat ? at + 8 : at, v.pick(PHYSDEV))
  if (compat) mem.write32(at, command)
  return {
    nr: compat ? xen.__HYPERVISOR_physdev_op_compat : xen.__HYPERVISOR_physdev_op,
    args: compat ? [at] : [command, at],
    command,
  }
}

/** A list of frames for set_gdt, descriptors, entries of the trap table: words that could be those. */
const tables: Aim = (v, mem, at) => {
  for (let i = 0; i < 16; i++) word(mem, at + 8 * i, 8, v.chance(2) ? v.frame() : v.odd())
  const nr = v.pick([
    xen.__HYPERVISOR_set_trap_table,
    xen.__HYPERVISOR_set_gdt,
    xen.__HYPERVISOR_set_gdt,
    xen.__HYPERVISOR_update_descriptor,
    xen.__HYPERVISOR_stack_switch,
    xen.__HYPERVISOR_set_callbacks,
    xen.__HYPERVISOR_callback_op,
    xen.__HYPERVISOR_nmi_op,
    xen.__HYPERVISOR_set_segment_base,
    xen.__HYPERVISOR_set_debugreg,
    xen.__HYPERVISOR_get_debugreg,
    xen.__HYPERVISOR_fpu_taskswitch,
  ])
  const first =
    nr === xen.__HYPERVISOR_update_descriptor
      ? v.frame() * 4096 + v.lore.rng.below(512) * 8
      : nr === xen.__HYPERVISOR_callback_op || nr === xen.__HYPERVISOR_nmi_op || nr >= 8
        ? v.lore.rng.below(9)
        : at
  return {
    nr,
    args: [
      first,
      nr === xen.__HYPERVISOR_set_gdt ? v.lore.rng.below(v.chance(8) ? 8192 : 1600) : v.chance(2) ? at : v.odd(),
    ],
  }
}

/** For dom0 alone: a guest gets -EPERM, whatever it says. */
const control: Aim = (v, mem, at) => {
  const nr = v.pick([xen.__HYPERVISOR_domctl, xen.__HYPERVISOR_sysctl, xen.__HYPERVISOR_platform_op])
  const versions: Readonly<Record<number, number>> = {
    [xen.__HYPERVISOR_domctl]: 5,
    [xen.__HYPERVISOR_sysctl]: 6,
    [xen.__HYPERVISOR_platform_op]: 0x03000001,
  }
  mem.write32(at, v.lore.rng.below(60))
  mem.write32(at + 4, versions[nr]!)
  word(mem, at + 8, 2, v.domid())
  for (let i = 2; i < 16; i++) word(mem, at + 8 * i, 8, v.field('x', 8))
  return { nr, args: [at] }
}

const profile: Aim = (v, mem, at) => {
  const command = v.chance(3) ? v.lore.rng.below(18) : xenoprof.XENOPROF_get_buffer
  v.struct(mem, at, xenoprof.xenoprof_get_buffer, v.chance(4) ? {} : { max_samples: v.lore.rng.below(300) })
  return { nr: xen.__HYPERVISOR_xenoprof_op, args: [command, at], command }
}

const remoteShutdown: Aim = (v, mem, at) => {
  v.struct(mem, at, sched_remote_shutdown)
  return { nr: xen.__HYPERVISOR_sched_op, args: [SCHEDOP_remote_shutdown, at] }
}

const timer: Aim = (v) => ({
  nr: xen.__HYPERVISOR_set_timer_op,
  args: [v.chance(4) ? v.odd() : v.lore.rng.below(2 ** 32)],
})

const anything: Aim = (v) => {
  const nr = v.lore.rng.below(64)
  const args = Array.from({ length: v.lore.rng.below(7) }, () =>
    v.chance(3)
      ? v.small()
      : v.chance(2)
        ? v.pointer()
        : v.chance(8)
          ? v.pick([0.5, Number.NaN, Number.POSITIVE_INFINITY])
          : v.odd(),
  )
  return { nr: v.chance(100) ? v.odd() : nr, args }
}

/** How often each, of all together. */
const AIMS: readonly (readonly [number, Aim])[] = [
  [14, eventChannel],
  [26, grant],
  [14, memoryOp],
  [5, vcpuOp],
  [14, updateVaMapping],
  [2, updateOther],
  [5, mmuUpdate],
  [5, mmuext],
  [2, physdevOp],
  [4, tables],
  [2, control],
  [1, remoteShutdown],
  [1, profile],
  [1, timer],
  [5, anything],
]
const TOTAL = AIMS.reduce((sum, [weight]) => sum + weight, 0)

/** Any of them but a list. */
export const single: Aim = (v, mem, at) => {
  let left = v.lore.rng.below(TOTAL)
  for (const [weight, aim] of AIMS) {
    if (left < weight) return aim(v, mem, at)
    left -= weight
  }
  throw new Error('the weights do not add up')
}

/** So far apart lie the structs of the calls of a list. */
const STRIDE = 512
const LIST = pageOf(SLOTS + SLOT_PAGES - 1)

export const multicall: Aim = (v, mem) => {
  const count = 1 + v.lore.rng.below(6)
  const { size } = xen.multicall_entry
  // Now and then the list crosses into the next page, or into nothing.
  const list = v.chance(20) ? v.pointer() : LIST
  const shots: Shot[] = []
  for (let i = 0; i < count; i++) {
    const shot = single(v, mem, pageOf(SLOTS) + i * STRIDE)
    shots.push(shot)
    const at = list + i * size
    mem.write64(at, BigInt(Math.trunc(Math.abs(shot.nr)) % 2 ** 32))
    for (let n = 0; n < 6; n++) {
      const arg = shot.args[n] ?? 0
      word(mem, at + xen.MULTICALL_ARGS + 8 * n, 8, Number.isFinite(arg) ? arg : 0)
    }
  }
  return {
    nr: xen.__HYPERVISOR_multicall,
    args: [list, v.chance(60) ? v.odd() : count],
    learn(after, result) {
      if (result !== 0) return undefined
      for (const [i, shot] of shots.entries()) shot.learn?.(after, after.read32(list + i * size + 8) | 0)
      return undefined
    },
  }
}
