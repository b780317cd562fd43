import { Check, Copy } from 'lucide-react'
import { useState } from 'react'
import { texts } from '../texts/texts.ts'
import { IconButton } from './Button.tsx'

export function CopyButton({ text, label }: { text: () => string; label: string }) {
  const [done, setDone] = useState(false)
  const copy = (): void => {
    // Without a secure origin there is no clipboard. The text can still be selected by hand.
    void navigator.clipboard?.writeText(text()).then(() => {
      setDone(true)
      setTimeout(() => setDone(false), 1_500)
    })
  }
  return (
    <IconButton
      icon={done ? Check : Copy}
      label={done ? texts.ui.copied : label}
      className="small"
      onClick={copy}
      title={label}
    />
  )
}
