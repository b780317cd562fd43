import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { type ReactNode, useState } from 'react'
import { CarrelError } from '../../src/model/errors.ts'
import { EMPTY_WORKSPACE } from '../../src/model/events/workspace-log.ts'
import type { Session } from '../../src/model/tree.ts'
import { PageContext } from '../data/use-page.ts'
import { FilesPanel } from '../files/FilesPanel.tsx'
import { GapList } from '../files/GapsDialog.tsx'
import { TimelinePanel } from '../timeline/TimelinePanel.tsx'
import { PROJECT, tail } from './example-log.ts'
import { type Answers, examplePage } from './example-page.ts'
import { BY_MANY, CHANGES, DIFF, EXTREME, MANY, plan, snapshots, status } from './file-data.ts'
import '../session/panel.css'

const SPACE = `spc_${tail(1)}`
const ROW = { id: `ses_${tail(1)}`, project: PROJECT, space: SPACE, lastRun: null, state: 'idle' } as unknown as Session
const NEVER = new Promise<never>(() => undefined)

const STATE = {
  workspace: {
    ...EMPTY_WORKSPACE,
    sessions: {
      [`ses_${tail(1)}`]: { ...ROW, name: 'Water the beds' },
      [`ses_${tail(2)}`]: { ...ROW, id: `ses_${tail(2)}`, name: 'Prune the apple tree', state: 'running' },
    } as never,
    projects: { [PROJECT]: { id: PROJECT, space: SPACE, name: 'Spring', place: { kind: 'direct' } } } as never,
    spaces: { [SPACE]: { id: SPACE, name: 'Garden' } } as never,
  },
}

const files = (changes: typeof CHANGES, more: Answers = {}): Answers => ({
  'history.status': () => status(),
  'history.changes': () => ({ changes, cut: false }),
  'history.diff': ({ path }) => ({ ...DIFF, path }),
  'runs.list': () => ({ runs: [], cursor: null }) as never,
  ...more,
})

/** The side panels in every state, with fixed answers. */
export function FileExamples({ now }: { now: number }) {
  const panels: Record<string, Answers> = {
    'Files: looking': files([], { 'history.changes': () => NEVER }),
    'Files: nothing changed': files([]),
    'Files: first import': files([], {
      'history.status': () => status({ state: 'importing', progress: { done: 41_200, total: 104_000 }, gaps: 0 }),
    }),
    'Files: import without a total': files([], {
      'history.status': () => status({ state: 'importing', progress: { done: 900, total: null }, gaps: 0 }),
    }),
    'Files: changes of a session': files(CHANGES),
    'Files: by many': files(BY_MANY),
    'Files: 500 changes': files(MANY),
    'Files: long, right to left, no text': files(EXTREME),
    'Files: the folder is gone': files(CHANGES.slice(0, 2), { 'history.status': () => status({ state: 'missing' }) }),
    'Files: does not work': files([], {
      'history.status': () => status({ state: 'failed', problem: 'The disk is full. Free some room.' }),
      'history.changes': () => {
        throw new CarrelError('unavailable', 'The history cannot be read now.')
      },
    }),
  }
  return (
    <>
      {Object.entries(panels).map(([title, answers]) => (
        <ServedExample box="example-panel panel" key={title} title={title} answers={answers}>
          <FilesPanel row={ROW} stamp="" />
        </ServedExample>
      ))}
      <ServedExample
        box="example-panel panel"
        title="Timeline"
        answers={files(CHANGES, { 'history.snapshots': () => ({ snapshots: snapshots(now), cursor: 'more' }) })}
      >
        <TimelinePanel row={ROW} stamp="" />
      </ServedExample>
      <ServedExample
        box="example-panel panel"
        title="Timeline: empty"
        answers={files([], { 'history.snapshots': () => ({ snapshots: [], cursor: null }) })}
      >
        <TimelinePanel row={ROW} stamp="" />
      </ServedExample>
      <ServedExample title="Gaps">
        <GapList gaps={plan(now).gaps} />
      </ServedExample>
    </>
  )
}

interface ExampleProps {
  readonly title: string
  readonly answers?: Answers
  /** The class of a box around the example. */
  readonly box?: string
  readonly children: ReactNode
}

/** An example with a server of its own, which gives fixed answers. */
export function ServedExample({ title, answers = {}, box, children }: ExampleProps) {
  const [page] = useState(() => examplePage(STATE, answers))
  const [queries] = useState(() => new QueryClient({ defaultOptions: { queries: { retry: false } } }))
  return (
    <section className="example" aria-label={title}>
      <h2>{title}</h2>
      <QueryClientProvider client={queries}>
        <PageContext value={page}>{box ? <div className={box}>{children}</div> : children}</PageContext>
      </QueryClientProvider>
    </section>
  )
}
