export function DiskSection() {
  return null
}
