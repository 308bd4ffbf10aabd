export function RecordSection() {
  return null
}
