/** xen_version (17): what this hypervisor is (xen/common/kernel.c, do_xen_version). */
import { EINVAL } from '#abi/xen/errno.ts'
import { PAGE_SIZE } from '#abi/xen/types.ts'
import {
  XEN_CHANGESET_INFO_LEN,
  XEN_EXTRAVERSION_LEN,
  XENVER_changeset,
  XENVER_compile_info,
  XENVER_extraversion,
  XENVER_pagesize,
  XENVER_version,
  xen_compile_info,
} from '#abi/xen/version.ts'
import {
  XEN_CHANGESET,
  XEN_COMPILE_BY,
  XEN_COMPILE_DATE,
  XEN_COMPILE_DOMAIN,
  XEN_COMPILER,
  XEN_EXTRAVERSION,
  XEN_SUBVERSION,
  XEN_VERSION,
} from '../compile.ts'
import { opTable, type RawOp } from './op-table.ts'

export const xenVersion = opTable({
  [XENVER_version]: () => (XEN_VERSION << 16) | XEN_SUBVERSION,
  [XENVER_extraversion]: text(XEN_EXTRAVERSION, XEN_EXTRAVERSION_LEN),
  [XENVER_compile_info]: ({ mem }, pointer) => {
    xen_compile_info.write(mem, pointer, {
      compiler: cString(XEN_COMPILER, 64),
      compile_by: cString(XEN_COMPILE_BY, 16),
      compile_domain: cString(XEN_COMPILE_DOMAIN, 32),
      compile_date: cString(XEN_COMPILE_DATE, 32),
    })
    return 0
  },
  [XENVER_changeset]: text(XEN_CHANGESET, XEN_CHANGESET_INFO_LEN),
  [XENVER_pagesize]: (_call, pointer) => (pointer === 0 ? PAGE_SIZE : -EINVAL),
})

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
