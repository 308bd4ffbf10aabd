export default function DomainsPanel() {
  return null
}
