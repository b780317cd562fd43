import { useQuery, useQueryClient } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import type { FileRules } from '../../src/model/conflicts.ts'
import { asCarrelError } from '../../src/model/errors.ts'
import { usePage, useSubmit, useWorkspaceId } from '../data/use-page.ts'
import { texts } from '../texts/texts.ts'
import { Dialog } from '../ui/Dialog.tsx'
import { Problem } from '../ui/Problem.tsx'
import { PathRulesTable } from './PathRulesTable.tsx'
import { TryPath } from './TryPath.tsx'
import '../shell/dialogs.css'
import './places.css'

const MIB = 1_048_576

/** What of a Space's files is covered by the history and which need a second look. */
export function FileRulesDialog({ space, name, onClose }: { space: string; name: string; onClose: () => void }) {
  const page = usePage()
  const workspace = useWorkspaceId()
  const { data, error, isPending } = useQuery({
    queryKey: ['file-rules', workspace, space],
    queryFn: () => page.call('fileRules.get', { workspace, id: space }),
    staleTime: 0,
  })
  const [saved, setSaved] = useState(false)
  const words = texts.places.rules
  return (
    <Dialog title={words.title(name)} open onClose={onClose} className="wide plan-like">
      {error && <Problem error={asCarrelError(error)} />}
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
      {saved && <p role="status">{words.saved}</p>}
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
  const words = texts.places.rules
  const save = useSubmit(async (wanted: FileRules | null) => {
    await page.call('fileRules.set', { workspace, id: space, rules: wanted })
    await queries.invalidateQueries({ queryKey: ['file-rules', workspace, space] })
    onSaved()
  })
  const send = (event: FormEvent): void => {
    event.preventDefault()
    const paths = next.paths.filter(({ glob }) => glob.trim() !== '')
    save.run({ ...next, paths, ignore: ignore.split('\n').filter((line) => line.trim() !== '') })
  }
  return (
    <form className="stack" onSubmit={send}>
      <section className="stack-s" aria-label={words.pathRules}>
        <h3>{words.pathRules}</h3>
        <p className="faint">{words.pathRulesNote}</p>
        <PathRulesTable rules={next.paths} onRules={(paths) => setNext({ ...next, paths })} />
        <TryPath space={space} />
      </section>
      <section className="stack-s" aria-label={words.covered}>
        <h3>{words.covered}</h3>
        <label className="form-field">
          <span>{words.ignore}</span>
          <span className="form-note">{words.ignoreNote}</span>
          <textarea
            className="field mono"
            rows={6}
            value={ignore}
            spellCheck={false}
            onChange={(event) => setIgnore(event.target.value)}
          />
        </label>
        <label className="setting">
          <input
            type="checkbox"
            checked={next.useGitignore}
            onChange={(event) => setNext({ ...next, useGitignore: event.target.checked })}
          />
          <span>{words.gitignore}</span>
        </label>
        <label className="row">
          <span>{words.largest}</span>
          <input
            className="field rules-size"
            type="number"
            min={0}
            step="any"
            value={next.maxFileBytes / MIB}
            onChange={(event) => setNext({ ...next, maxFileBytes: Math.round(Number(event.target.value) * MIB) })}
          />
        </label>
      </section>
      <Problem error={save.problem} />
      <div className="actions">
        {changed && (
          <>
            <span className="faint grow">{words.changed}</span>
            <button type="button" className="btn quiet" disabled={save.pending} onClick={() => save.run(null)}>
              {words.defaults}
            </button>
          </>
        )}
        <button type="button" className="btn" onClick={onClose}>
          {texts.ui.close}
        </button>
        <button type="submit" className="btn primary" disabled={save.pending}>
          {save.pending ? words.saving : texts.ui.save}
        </button>
      </div>
    </form>
  )
}
