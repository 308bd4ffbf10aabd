export default function GuidePanel() {
  return null
}
