import { MessageSquare, Pencil, Trash2 } from 'lucide-react'
import { type FormEvent, useState } from 'react'
import { texts } from '../texts/texts.ts'
import { Button, IconButton } from '../ui/Button.tsx'
import type { Remark } from './remarks.ts'

interface Props {
  readonly remark: Remark
  readonly editing: boolean
  readonly onKeep: (text: string) => void
  readonly onEdit: () => void
  readonly onClose: () => void
}

/** A comment below its line. */
export function LineRemark({ remark, editing, onKeep, onEdit, onClose }: Props) {
  const labels = texts.files.remark
  if (editing) return <Write remark={remark} onKeep={onKeep} onClose={onClose} />
  return (
    <div className="remark" dir="auto">
      <MessageSquare className="glyph" aria-hidden />
      <p className="grow">{remark.text}</p>
      <IconButton icon={Pencil} label={labels.edit} className="small" onClick={onEdit} />
      <IconButton icon={Trash2} label={labels.drop} className="small" onClick={() => onKeep('')} />
    </div>
  )
}

function Write({ remark, onKeep, onClose }: Omit<Props, 'editing' | 'onEdit'>) {
  const [text, setText] = useState(remark.text)
  const labels = texts.files.remark
  const keep = (event?: FormEvent): void => {
    event?.preventDefault()
    if (text.trim()) onKeep(text)
  }
  return (
    <form className="remark writing" onSubmit={keep}>
      <textarea
        className="field"
        // biome-ignore lint/a11y/noAutofocus: it was opened in order to write in it
        autoFocus
        rows={2}
        aria-label={labels.on(remark.number, remark.gone)}
        placeholder={labels.placeholder}
        value={text}
        onChange={(event) => setText(event.target.value)}
        onKeyDown={(event) => {
          if (event.nativeEvent.isComposing) return
          if (event.key === 'Escape') {
            event.stopPropagation()
            onClose()
          } else if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) keep()
        }}
      />
      <div className="actions">
        <Button label={texts.ui.cancel} onClick={onClose} />
        <Button label={labels.keep} className="primary" type="submit" disabled={!text.trim()} />
      </div>
    </form>
  )
}
