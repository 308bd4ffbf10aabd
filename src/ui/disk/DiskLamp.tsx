export function DiskLamp() {
  return null
}
