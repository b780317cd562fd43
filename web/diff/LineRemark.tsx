import { MessageSquare, Pencil, Trash2 } from 'lucide-react'
import { type FormEvent, useState } from 'react'
import { texts } from '../texts/texts.ts'
import type { Remark } from './remarks.ts'

interface Props {
  readonly remark: Remark
  /** The comment is still a draft. */
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
      <button
        type="button"
        className="btn quiet icon small"
        aria-label={labels.edit}
        title={labels.edit}
        onClick={onEdit}
      >
        <Pencil aria-hidden />
      </button>
      <button
        type="button"
        className="btn quiet icon small"
        aria-label={labels.drop}
        title={labels.drop}
        onClick={() => onKeep('')}
      >
        <Trash2 aria-hidden />
      </button>
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
        <button type="button" className="btn" onClick={onClose}>
          {texts.ui.cancel}
        </button>
        <button type="submit" className="btn primary" disabled={!text.trim()}>
          {labels.keep}
        </button>
      </div>
    </form>
  )
}
