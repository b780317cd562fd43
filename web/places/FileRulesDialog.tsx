import { useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import type { FileRules } from '../../src/model/files/conflicts.ts'
import { useAnswer } from '../data/queries.ts'
import { usePage, useSubmit, useWorkspaceId } from '../data/use-page.ts'
import { texts } from '../texts/texts.ts'
import { Button } from '../ui/Button.tsx'
import { Dialog } from '../ui/Dialog.tsx'
import { onSend } from '../ui/form.ts'
import { Problem } from '../ui/Problem.tsx'
import { FileRulesTable } from './FileRulesTable.tsx'
import { TryPath } from './TryPath.tsx'
import '../ui/dialogs.css'
import './places.css'

const MIB = 1_048_576

/** The file rules of a Space: which files the history tracks, and which paths need confirmation. */
export function FileRulesDialog({ space, name, onClose }: { space: string; name: string; onClose: () => void }) {
  const { data, error, isPending } = useAnswer(['file-rules', space], 'fileRules.get', { id: space }, { staleTime: 0 })
  const [saved, setSaved] = useState(false)
  const labels = texts.places.rules
  return (
    <Dialog title={labels.title(name)} onClose={onClose} className="wide plan-like">
      <Problem error={error} />
      {isPending && <p className="dim">{texts.ui.loading}</p>}
      {data && (
        <RulesForm
          key={JSON.stringify(data.rules)}
          space={space}
          rules={data.rules}
          changed={data.changed}
          onClose={onClose}
          onSaved={() => setSaved(true)}
        />
      )}
      {saved && <p role="status">{labels.saved}</p>}
    </Dialog>
  )
}

interface FormProps {
  readonly space: string
  readonly rules: FileRules
  readonly changed: boolean
  readonly onClose: () => void
  readonly onSaved: () => void
}

export function RulesForm({ space, rules, changed, onClose, onSaved }: FormProps) {
  const page = usePage()
  const workspace = useWorkspaceId()
  const queries = useQueryClient()
  const [next, setNext] = useState(rules)
  const [ignore, setIgnore] = useState(rules.ignore.join('\n'))
  const labels = texts.places.rules
  const save = useSubmit(async (wanted: FileRules | null) => {
    await page.call('fileRules.set', { workspace, id: space, rules: wanted })
    await queries.invalidateQueries({ queryKey: ['file-rules', workspace, space] })
    onSaved()
  })
  const change = (part: Partial<FileRules>): void => setNext({ ...next, ...part })
  const send = onSend(() => {
    const paths = next.paths.filter(({ glob }) => glob.trim() !== '')
    save.run({ ...next, paths, ignore: ignore.split('\n').filter((line) => line.trim() !== '') })
  })
  return (
    <form className="stack" onSubmit={send}>
      <section className="stack-s" aria-label={labels.pathRules}>
        <h3>{labels.pathRules}</h3>
        <p className="faint">{labels.pathRulesNote}</p>
        <FileRulesTable rules={next.paths} onRules={(paths) => change({ paths })} />
        <TryPath space={space} />
      </section>
      <Tracked rules={next} onRules={change} ignore={ignore} onIgnore={setIgnore} />
      <Problem error={save.problem} />
      <div className="actions">
        {changed && (
          <>
            <span className="faint grow">{labels.changed}</span>
            <Button label={labels.defaults} className="quiet" disabled={save.pending} onClick={() => save.run(null)} />
          </>
        )}
        <Button label={texts.ui.close} onClick={onClose} />
        <Button className="primary" type="submit" disabled={save.pending}>
          {save.pending ? labels.saving : texts.ui.save}
        </Button>
      </div>
    </form>
  )
}

interface TrackedProps {
  readonly rules: FileRules
  readonly onRules: (part: Partial<FileRules>) => void
  /** The ignore patterns as text, one per line. */
  readonly ignore: string
  readonly onIgnore: (ignore: string) => void
}

function Tracked({ rules, onRules, ignore, onIgnore }: TrackedProps) {
  const labels = texts.places.rules
  return (
    <section className="stack-s" aria-label={labels.covered}>
      <h3>{labels.covered}</h3>
      <label className="form-field">
        <span>{labels.ignore}</span>
        <span className="form-note">{labels.ignoreNote}</span>
        <textarea
          className="field mono"
          rows={6}
          value={ignore}
          spellCheck={false}
          onChange={(event) => onIgnore(event.target.value)}
        />
      </label>
      <label className="setting">
        <input
          type="checkbox"
          checked={rules.useGitignore}
          onChange={(event) => onRules({ useGitignore: event.target.checked })}
        />
        <span>{labels.gitignore}</span>
      </label>
      <label className="row">
        <span>{labels.largest}</span>
        <input
          className="field rules-size"
          type="number"
          min={0}
          step="any"
          value={rules.maxFileBytes / MIB}
          onChange={(event) => onRules({ maxFileBytes: Math.round(Number(event.target.value) * MIB) })}
        />
      </label>
    </section>
  )
}
