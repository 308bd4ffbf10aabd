/** sched_op_compat (6), event_channel_op_compat (16), physdev_op_compat (19): what older guests call (xen/arch/x86/compat.c, common/schedule.c). */
import { EVTCHN_OP_BYTES, EVTCHN_OP_U } from '#abi/xen/event_channel.ts'
import { PHYSDEV_OP_BYTES, PHYSDEV_OP_U } from '#abi/xen/physdev.ts'
import { SCHEDOP_block, SCHEDOP_shutdown, SCHEDOP_yield } from '#abi/xen/sched.ts'
import { eventChannelOp } from './event_channel_op.ts'
import { type Hypercall, opTable } from './op-table.ts'
import { physdevOp } from './physdev_op.ts'
import { block, giveWay, shutdown } from './sched_op.ts'

/** The second argument of shutdown is the reason itself. */
export const schedOpCompat = opTable({
  [SCHEDOP_yield]: giveWay,
  [SCHEDOP_block]: block,
  [SCHEDOP_shutdown]: (call, reason) => shutdown(call, { reason: reason >>> 0 }),
})

/** The command lies in front of its struct. All of the union has to be there. */
const fromStruct =
  (hypercall: Hypercall, union: number, bytes: number): Hypercall =>
  (call, [pointer = 0]) => {
    call.mem.copyOut(pointer, bytes)
    return hypercall(call, [call.mem.read32(pointer), pointer + union])
  }

export const eventChannelOpCompat = fromStruct(eventChannelOp, EVTCHN_OP_U, EVTCHN_OP_BYTES)
export const physdevOpCompat = fromStruct(physdevOp, PHYSDEV_OP_U, PHYSDEV_OP_BYTES)
