/** xen_version (17): what this hypervisor is (xen/common/kernel.c, do_xen_version). */
import type { Values } from '#abi/struct.ts'
import { EINVAL } from '#abi/xen/errno.ts'
import { PAGE_SIZE, unsignedVaddr } from '#abi/xen/types.ts'
import {
  XEN_CAPABILITIES_INFO_LEN,
  XEN_CHANGESET_INFO_LEN,
  XEN_EXTRAVERSION_LEN,
  XENFEAT_gnttab_map_avail_bits,
  XENFEAT_mmu_pt_update_preserve_ad,
  XENFEAT_pae_pgdir_above_4gb,
  XENVER_capabilities,
  XENVER_changeset,
  XENVER_compile_info,
  XENVER_extraversion,
  XENVER_get_features,
  XENVER_guest_handle,
  XENVER_pagesize,
  XENVER_platform_parameters,
  XENVER_version,
  xen_compile_info,
  xen_feature_info,
} from '#abi/xen/version.ts'
import { HYPERVISOR_VIRT_START, VMASST_TYPE_pae_extended_cr3 } from '#abi/xen/xen.ts'
import {
  XEN_CHANGESET,
  XEN_COMPILE_BY,
  XEN_COMPILE_DATE,
  XEN_COMPILE_DOMAIN,
  XEN_COMPILER,
  XEN_VERSION,
} from '../compile.ts'
import { type Call, op, opTable, type RawOp } from './op-table.ts'

/** arch_get_xen_caps: 64-bit guests and, by compat mode, 32-bit ones. This processor has no hardware virtualisation that Xen uses. */
const CAPABILITIES = 'xen-3.0-x86_64 xen-3.0-x86_32p '

export const xenVersion = opTable({
  [XENVER_version]: ({ xen }) => (XEN_VERSION << 16) | xen.build.subversion,
  [XENVER_extraversion]({ xen, mem }, pointer) {
    mem.copyIn(pointer, cString(xen.build.extraversion, XEN_EXTRAVERSION_LEN))
    return 0
  },
  [XENVER_compile_info]: ({ mem }, pointer) => {
    xen_compile_info.write(mem, pointer, {
      compiler: cString(XEN_COMPILER, 64),
      compile_by: cString(XEN_COMPILE_BY, 16),
      compile_domain: cString(XEN_COMPILE_DOMAIN, 32),
      compile_date: cString(XEN_COMPILE_DATE, 32),
    })
    return 0
  },
  [XENVER_capabilities]: text(CAPABILITIES, XEN_CAPABILITIES_INFO_LEN),
  [XENVER_platform_parameters]({ mem }, pointer) {
    mem.write64(pointer, unsignedVaddr(HYPERVISOR_VIRT_START))
    return 0
  },
  [XENVER_get_features]: op(xen_feature_info, features),
  [XENVER_guest_handle]({ caller, mem }, pointer) {
    mem.copyIn(pointer, caller.handle)
    return 0
  },
  [XENVER_changeset]: text(XEN_CHANGESET, XEN_CHANGESET_INFO_LEN),
  [XENVER_pagesize]: (_call, pointer) => (pointer === 0 ? PAGE_SIZE : -EINVAL),
})

function features({ caller }: Call, arg: Values<typeof xen_feature_info>): number {
  if (arg.submap_idx !== 0) return -EINVAL
  arg.submap =
    (1 << XENFEAT_mmu_pt_update_preserve_ad) |
    (1 << XENFEAT_gnttab_map_avail_bits) |
    (caller.vmAssist & (1 << VMASST_TYPE_pae_extended_cr3) ? 1 << XENFEAT_pae_pgdir_above_4gb : 0)
  return 0
}

function text(value: string, length: number): RawOp {
  return ({ mem }, pointer) => {
    mem.copyIn(pointer, cString(value, length))
    return 0
  }
}

/** Zero-padded, cut where it does not fit with its end. */
function cString(value: string, length: number): Uint8Array {
  const bytes = new Uint8Array(length)
  for (let i = 0; i < Math.min(value.length, length - 1); i++) bytes[i] = value.charCodeAt(i)
  return bytes
}
