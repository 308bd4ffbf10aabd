export function Troubles() {
  return null
}
