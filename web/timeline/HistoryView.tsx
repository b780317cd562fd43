import { History, RotateCw } from 'lucide-react'
import { useDeferredValue, useState } from 'react'
import type { Output } from '../../src/api/index.ts'
import { type EverywhereFilter, useEverywhere } from '../data/files.ts'
import { useWorkspace } from '../data/use-page.ts'
import { fullDay } from '../texts/format.ts'
import { texts } from '../texts/texts.ts'
import { IconButton } from '../ui/Button.tsx'
import { Choice } from '../ui/Choice.tsx'
import { Empty } from '../ui/Empty.tsx'
import { Problem } from '../ui/Problem.tsx'
import { OlderButton } from './OlderButton.tsx'
import { TouchRow } from './TouchRow.tsx'
import { useKeys } from './use-keys.ts'
import '../files/files.css'
import './timeline.css'

type By = 'any' | NonNullable<EverywhereFilter['author']>
const AUTHORS = ['any', 'run', 'outside', 'act', 'unknown'] as const satisfies readonly By[]

interface Fields {
  readonly space: string
  readonly author: By
  readonly path: string
}

/** File changes of all working copies of the workspace, newest first. */
export function HistoryView() {
  const [fields, setFields] = useState<Fields>({ space: '', author: 'any', path: '' })
  const { space, author } = fields
  const path = useDeferredValue(fields.path.trim())
  const list = useEverywhere({
    space: space || undefined,
    author: author === 'any' ? undefined : author,
    path: path || undefined,
  })
  const labels = texts.timeline.places
  const none = space || author !== 'any' || path ? labels.none : labels.empty
  return (
    <div className="history">
      <header className="history-head">
        <div className="row">
          <h1>{labels.title}</h1>
          <p className="faint grow cut">{labels.note}</p>
          <IconButton icon={RotateCw} label={labels.again} onClick={() => void list.refetch()} />
        </div>
        <Filter fields={fields} onChange={(part) => setFields({ ...fields, ...part })} />
      </header>
      <div className="history-list scroll">
        <Problem error={list.error} />
        {list.isPending && !list.error && <p className="dim">{labels.looking}</p>}
        <Days pages={list.data?.pages} none={none} />
        <OlderButton list={list} />
      </div>
    </div>
  )
}

function Filter({ fields, onChange }: { fields: Fields; onChange: (part: Partial<Fields>) => void }) {
  const labels = texts.timeline.places
  return (
    <search className="row wrap">
      <SpaceChoice space={fields.space} onSpace={(space) => onChange({ space })} />
      <Choice
        label={labels.author}
        value={fields.author}
        options={AUTHORS.map((value) => ({ value, label: labels.authors[value] }))}
        onChoose={(value) => onChange({ author: value as By })}
      />
      <input
        className="field mono"
        aria-label={labels.path}
        placeholder={labels.path}
        value={fields.path}
        spellCheck={false}
        onChange={(event) => onChange({ path: event.target.value })}
      />
    </search>
  )
}

interface DaysProps {
  readonly pages: readonly Output<'changes.list'>[] | undefined
  readonly none: { readonly title: string; readonly text: string }
}

function Days({ pages, none }: DaysProps) {
  const [opened, toggle] = useKeys()
  if (!pages) return null
  const rows = pages.flatMap((page) => page.changes)
  if (rows.length === 0) return <Empty icon={History} {...none} />
  return [...Map.groupBy(rows, ({ change }) => fullDay(change.at))].map(([day, own]) => (
    <section key={day} aria-label={day}>
      <h2 className="day">{day}</h2>
      <ol>
        {own.map((row) => {
          const key = `${row.space} ${row.project} ${row.change.n} ${row.change.path}`
          return <TouchRow key={key} row={row} open={opened.has(key)} onToggle={() => toggle(key)} />
        })}
      </ol>
    </section>
  ))
}

function SpaceChoice({ space, onSpace }: { space: string; onSpace: (space: string) => void }) {
  const spaces = Object.values(useWorkspace().spaces)
  const labels = texts.timeline.places
  if (spaces.length < 2) return null
  const options = [{ value: '', label: labels.anySpace }, ...spaces.map(({ id, name }) => ({ value: id, label: name }))]
  return <Choice label={labels.space} value={space} options={options} onChoose={onSpace} />
}
