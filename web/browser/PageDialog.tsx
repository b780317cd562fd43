import { useState } from 'react'
import type { BrowserDialog } from '../../src/model/browser-sight.ts'
import { texts } from '../texts/texts.ts'
import { Button } from '../ui/Button.tsx'
import { onSend } from '../ui/form.ts'
import type { SendInput } from './use-picture-input.ts'

/** A dialog of the page, such as `confirm()`. Screenshots of a browser do not contain its dialogs. */
export function PageDialog({ dialog, send }: { dialog: BrowserDialog; send: SendInput | null }) {
  const labels = texts.browser
  const { kind, message } = dialog
  const [text, setText] = useState(dialog.answer)
  const leaving = kind === 'beforeunload'
  return (
    <form
      className="browser-dialog"
      aria-label={labels.dialog[kind]}
      onSubmit={onSend(() => send?.({ kind: 'dialog', accept: true, ...(kind === 'prompt' && { text }) }))}
    >
      <div role="status">
        <b>{labels.dialog[kind]}</b>
        <p>{leaving ? labels.leave : message}</p>
      </div>
      {send === null && <p className="faint">{labels.takeToAnswer}</p>}
      {send !== null && kind === 'prompt' && (
        <input
          className="field"
          aria-label={labels.dialogAnswer}
          value={text}
          onChange={(event) => setText(event.target.value)}
        />
      )}
      {send !== null && (
        <div className="browser-tools">
          <Button label={leaving ? labels.leaveIt : labels.ok} className="primary" type="submit" />
          {kind !== 'alert' && (
            <Button onClick={() => send({ kind: 'dialog', accept: false })}>
              {leaving ? labels.stay : labels.cancel}
            </Button>
          )}
        </div>
      )}
    </form>
  )
}
