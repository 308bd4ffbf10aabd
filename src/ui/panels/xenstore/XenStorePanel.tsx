export default function XenStorePanel() {
  return null
}
