/** cpulist_scnprintf: a set of processors as `{0-1,3}`. */
export function cpulist(ids: Iterable<number>): string {
  const parts: string[] = []
  let from = -1
  let to = -1
  const flush = (): void => {
    if (from >= 0) parts.push(from === to ? `${from}` : `${from}-${to}`)
  }
  for (const id of [...ids].sort((a, b) => a - b)) {
    if (from >= 0 && id === to + 1) to = id
    else {
      flush()
      from = id
      to = id
    }
  }
  flush()
  return `{${parts.join(',')}}`
}

/** Whether a bitmap of processors has `cpu`. */
export const hasCpu = (map: Uint8Array, cpu: number): boolean => ((map[cpu >> 3] ?? 0) & (1 << (cpu & 7))) !== 0
