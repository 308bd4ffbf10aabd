/** Mirrors xen/include/public/io/console.h: the page that a domain and xenconsoled share. Indexes run freely; their low bits say where. */
import { bytes, struct, u32 } from '../../struct.ts'

export const XENCONS_IN_SIZE = 1024
export const XENCONS_OUT_SIZE = 2048

export const xencons_interface = struct('xencons_interface', 3088, {
  /** To the domain. */
  in: bytes(0, XENCONS_IN_SIZE),
  /** From the domain. */
  out: bytes(1024, XENCONS_OUT_SIZE),
  in_cons: u32(3072),
  in_prod: u32(3076),
  out_cons: u32(3080),
  out_prod: u32(3084),
})
