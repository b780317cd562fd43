import { History, RotateCw } from 'lucide-react'
import { useDeferredValue, useState } from 'react'
import { asCarrelError } from '../../src/model/errors.ts'
import { type EverywhereFilter, useEverywhere } from '../data/files.ts'
import { useWorkspace } from '../data/use-page.ts'
import { texts } from '../texts/texts.ts'
import { Choice } from '../ui/Choice.tsx'
import { fullDay } from '../ui/format.ts'
import { Problem } from '../ui/Problem.tsx'
import { TouchRow } from './TouchRow.tsx'
import { useKeys } from './use-keys.ts'
import '../files/files.css'
import './timeline.css'

type By = 'any' | NonNullable<EverywhereFilter['author']>
const AUTHORS = ['any', 'run', 'outside', 'act', 'unknown'] as const satisfies readonly By[]

/** Who touched what, when, in all places of the workspace, newest first. */
export function HistoryView() {
  const [space, setSpace] = useState('')
  const [author, setAuthor] = useState<By>('any')
  const [path, setPath] = useState('')
  const wanted = useDeferredValue(path.trim())
  const list = useEverywhere({
    space: space || undefined,
    author: author === 'any' ? undefined : author,
    path: wanted || undefined,
  })
  const rows = list.data?.pages.flatMap((page) => page.changes) ?? []
  const [opened, toggle] = useKeys()
  const words = texts.timeline.places
  const none = space || author !== 'any' || wanted ? words.none : words.empty
  return (
    <div className="history">
      <header className="history-head">
        <div className="row">
          <h1>{words.title}</h1>
          <p className="faint grow cut">{words.note}</p>
          <button
            type="button"
            className="btn quiet icon"
            aria-label={words.again}
            title={words.again}
            onClick={() => void list.refetch()}
          >
            <RotateCw aria-hidden />
          </button>
        </div>
        <search className="row wrap">
          <SpaceChoice space={space} onSpace={setSpace} />
          <Choice
            label={words.author}
            value={author}
            options={AUTHORS.map((value) => ({ value, label: words.authors[value] }))}
            onChoose={(value) => setAuthor(value as By)}
          />
          <input
            className="field mono"
            aria-label={words.path}
            placeholder={words.path}
            value={path}
            spellCheck={false}
            onChange={(event) => setPath(event.target.value)}
          />
        </search>
      </header>
      <div className="history-list scroll">
        {list.error && <Problem error={asCarrelError(list.error)} />}
        {list.isPending && !list.error && <p className="dim">{words.looking}</p>}
        {list.data && rows.length === 0 && (
          <div className="empty">
            <History className="empty-mark" aria-hidden />
            <h2>{none.title}</h2>
            <p>{none.text}</p>
          </div>
        )}
        {[...Map.groupBy(rows, ({ change }) => fullDay(change.at))].map(([day, own]) => (
          <section key={day} aria-label={day}>
            <h2 className="day">{day}</h2>
            <ol>
              {own.map((row) => {
                const key = `${row.space} ${row.project} ${row.change.n} ${row.change.path}`
                return <TouchRow key={key} row={row} open={opened.has(key)} onToggle={() => toggle(key)} />
              })}
            </ol>
          </section>
        ))}
        {list.hasNextPage && (
          <button
            type="button"
            className="btn quiet diff-more"
            disabled={list.isFetchingNextPage}
            onClick={() => void list.fetchNextPage()}
          >
            {list.isFetchingNextPage ? texts.timeline.loadingOlder : texts.timeline.older}
          </button>
        )}
      </div>
    </div>
  )
}

function SpaceChoice({ space, onSpace }: { space: string; onSpace: (space: string) => void }) {
  const spaces = Object.values(useWorkspace().spaces)
  const words = texts.timeline.places
  if (spaces.length < 2) return null
  const options = [{ value: '', label: words.anySpace }, ...spaces.map(({ id, name }) => ({ value: id, label: name }))]
  return <Choice label={words.space} value={space} options={options} onChoose={onSpace} />
}
