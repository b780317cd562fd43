import { StartForm } from './StartForm.tsx'

export function AddSpace() {
  return <StartForm first={false} />
}
