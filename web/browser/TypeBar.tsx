import { useState } from 'react'
import { texts } from '../texts/texts.ts'
import { Button } from '../ui/Button.tsx'
import { onSend } from '../ui/form.ts'
import { press } from './gestures.ts'
import type { SendInput } from './use-picture-input.ts'

/** A field for text, for phones: an on-screen keyboard reports text instead of keys. */
export function TypeBar({ send }: { send: SendInput }) {
  const labels = texts.browser
  const [text, setText] = useState('')
  return (
    <form
      className="browser-type"
      onSubmit={onSend(() => {
        if (text) send({ kind: 'text', text })
        setText('')
      })}
    >
      <input
        className="field grow"
        aria-label={labels.type}
        placeholder={labels.type}
        value={text}
        onChange={(event) => setText(event.target.value)}
      />
      <Button label={labels.send} type="submit" />
      <Button label={labels.enter} onClick={() => send(...press('Enter', 13))} />
      <Button label={labels.erase} onClick={() => send(...press('Backspace', 8))} />
    </form>
  )
}
