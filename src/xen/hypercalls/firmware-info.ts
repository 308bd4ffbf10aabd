/** XENPF_firmware_info: what the BIOS said while there was one. */
import type { Values } from '#abi/struct.ts'
import { EINVAL, ESRCH } from '#abi/xen/errno.ts'
import {
  XEN_FW_DISK_INFO,
  XEN_FW_DISK_MBR_SIGNATURE,
  XEN_FW_VBEDDC_INFO,
  xenpf_firmware_info,
  xenpf_firmware_info_mbr,
} from '#abi/xen/platform.ts'
import { FIRST_DRIVE } from '../arch-x86/trampoline.ts'
import { type Call, op, opIn, type RawOp } from './op-table.ts'

/** INT 13h AH=41h: the extensions' version 1.x, reading and writing by sector number. */
const EDD_VERSION = 0x01
const EDD_EXTENDED_ACCESS = 1
/** What AH=48h fills in of that version. */
const EDD_PARAMS_BYTES = 26
const LEGACY_CYLINDER_MAX = 1023
const SECTOR_BYTES = 512

export const firmwareInfo: RawOp = (call, pointer) => {
  switch (xenpf_firmware_info.fields.type.get(call.mem, pointer)) {
    case XEN_FW_DISK_INFO:
      return op(xenpf_firmware_info, diskInfo)(call, pointer)
    case XEN_FW_DISK_MBR_SIGNATURE:
      return op(xenpf_firmware_info_mbr, mbrSignature)(call, pointer)
    case XEN_FW_VBEDDC_INFO:
      // This BIOS has nothing to say of a monitor.
      return opIn(xenpf_firmware_info, () => -ESRCH)(call, pointer)
    default:
      return -EINVAL
  }
}

function diskInfo({ xen, mem }: Call, arg: Values<typeof xenpf_firmware_info>): number {
  const drive = xen.discs.eddInfos[arg.index]
  if (!drive) return -ESRCH
  const { cylinders, heads, sectorsPerTrack, sectors } = drive
  const table = new DataView(new ArrayBuffer(EDD_PARAMS_BYTES))
  table.setUint16(0, EDD_PARAMS_BYTES, true)
  table.setUint32(4, cylinders, true)
  table.setUint32(8, heads, true)
  table.setUint32(12, sectorsPerTrack, true)
  table.setBigUint64(16, BigInt(sectors), true)
  table.setUint16(24, SECTOR_BYTES, true)
  // As much of it as the caller has room for.
  const length = Math.min(mem.read16(arg.edd_params), EDD_PARAMS_BYTES)
  mem.copyIn(arg.edd_params, new Uint8Array(table.buffer, 0, length))
  mem.write16(arg.edd_params, length)
  arg.device = FIRST_DRIVE + arg.index
  arg.version = EDD_VERSION
  arg.interface_support = EDD_EXTENDED_ACCESS
  arg.legacy_max_cylinder = Math.min(cylinders - 1, LEGACY_CYLINDER_MAX)
  arg.legacy_max_head = heads - 1
  arg.legacy_sectors_per_track = sectorsPerTrack
  return 0
}

function mbrSignature({ xen }: Call, arg: Values<typeof xenpf_firmware_info_mbr>): number {
  const signature = xen.discs.mbrSignatures[arg.index]
  if (signature === undefined) return -ESRCH
  arg.device = FIRST_DRIVE + arg.index
  arg.mbr_signature = signature
  return 0
}
