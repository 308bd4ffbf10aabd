/** vm_assist (21): (xen/common/kernel.c, vm_assist). What they assist with has no meaning on a page map; the bits are kept. */
import { EINVAL, ENOSYS } from '#abi/xen/errno.ts'
import { MAX_VMASST_TYPE, VMASST_CMD_disable, VMASST_CMD_enable } from '#abi/xen/xen.ts'
import type { Call } from './op-table.ts'

export function vmAssist({ caller }: Call, [cmd = 0, which = 0]: readonly number[]): number {
  const command = cmd >>> 0
  const type = which >>> 0
  if (type > MAX_VMASST_TYPE) return -EINVAL
  if (command === VMASST_CMD_enable) caller.vmAssist |= 1 << type
  else if (command === VMASST_CMD_disable) caller.vmAssist &= ~(1 << type)
  else return -ENOSYS
  return 0
}
