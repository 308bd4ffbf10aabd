export default function BootMenuPanel() {
  return null
}
