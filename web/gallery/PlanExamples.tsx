import { useEffect, useState } from 'react'
import { CarrelError } from '../../src/model/errors.ts'
import type { PlanRequest } from '../../src/model/files/history.ts'
import { DiffTools } from '../diff/DiffTools.tsx'
import { DiffView } from '../diff/DiffView.tsx'
import { setRemark } from '../diff/remarks.ts'
import { RulesForm } from '../places/FileRulesDialog.tsx'
import { ProjectForm } from '../places/ProjectDialog.tsx'
import { Removing } from '../places/RemovePlace.tsx'
import { PlanDone } from '../plans/PlanDone.tsx'
import { PlanView } from '../plans/PlanView.tsx'
import { StaleNote } from '../plans/StaleNote.tsx'
import { PROJECT, tail } from './example-log.ts'
import type { Answers } from './example-page.ts'
import { ServedExample } from './FileExamples.tsx'
import { AFTER, act, BEFORE, bare, DIFF, DRIVERS, diffOf, plan, RULES, session, state } from './file-data.ts'

const SPACE = `spc_${tail(1)}`
const UNDO: PlanRequest = { kind: 'undo', of: { kind: 'session', session: session(1) } }
const close = (): void => undefined
const refuse = (code: 'busy' | 'stale_plan', message: string) => (): never => {
  throw new CarrelError(code, message)
}

/** Diffs, plans, working copies and file rules in every state. */
export function PlanExamples({ now }: { now: number }) {
  const made = plan(now)
  const plans: Record<string, Answers> = {
    'Plan: needs words': { 'plans.make': () => made },
    'Plan: as it is': {
      'plans.make': () => ({ ...made, entries: made.entries.filter((one) => one.conflicts.length === 0), gaps: [] }),
    },
    'Plan: nothing to write': { 'plans.make': () => ({ ...made, entries: [], gaps: [] }) },
    'Plan: cannot be made': { 'plans.make': refuse('busy', 'The place is being captured. Try again in a moment.') },
    'Plan: busy when carried out': {
      'plans.make': () => ({ ...made, entries: made.entries.slice(2, 3), gaps: [] }),
      'plans.apply': refuse('busy', 'A run is at work in this place.'),
    },
  }
  return (
    <>
      <Diffs />
      {Object.entries(plans).map(([title, answers]) => (
        <ServedExample
          box="example-dialog"
          key={title}
          title={title}
          answers={{ 'plans.diff': ({ path }) => ({ ...DIFF, path }), ...answers }}
        >
          <PlanView project={PROJECT} request={UNDO} onClose={close} />
        </ServedExample>
      ))}
      <ServedExample title="Plan: stale">
        <StaleNote difference={{ added: ['src/new.ts'], gone: [], changed: ['src/beds.ts', 'README.md'] }} />
      </ServedExample>
      <ServedExample title="Plan: done">
        <PlanDone act={act(now)} project={PROJECT} onClose={close} />
      </ServedExample>
      <Places />
    </>
  )
}

function Diffs() {
  const remarked = `ses_${tail(77)}`
  useEffect(
    () =>
      setRemark(remarked, {
        path: 'src/beds.ts',
        line: 'I10',
        number: 10,
        gone: false,
        quote: '  return beds.filter((bed) => bed.water < 2 && !rain(bed.name))',
        text: 'What about beds under glass? Rain does not reach them.',
      }),
    [remarked],
  )
  const [diffs] = useState(() => ({
    'a new file': diffOf('src/new.ts', null, AFTER),
    'a removed file': diffOf('src/old.ts', BEFORE.slice(0, 300), null),
    '1,500 new lines': diffOf('long.txt', null, Array.from({ length: 1_500 }, (_, at) => `line ${at}`).join('\n')),
    'long lines, right to left': diffOf(
      'خطة.txt',
      `${'a b '.repeat(200)}\nمرحبا بالحديقة\n`,
      `${'a c '.repeat(200)}\nمرحبا بالحوض\n`,
    ),
  }))
  return (
    <>
      <ServedExample title="Diff: parts of several authors, a comment">
        <DiffTools />
        <DiffView diff={DIFF} session={remarked} />
      </ServedExample>
      {Object.entries(diffs).map(([title, diff]) => (
        <ServedExample key={title} title={`Diff: ${title}`}>
          <DiffView diff={diff} session={diff.path.startsWith('src/') ? remarked : null} />
        </ServedExample>
      ))}
      <ServedExample title="Diff: no text">
        <DiffView diff={bare('binary')} session={null} />
        <DiffView diff={bare('large')} session={null} />
        <DiffView diff={bare('gone', { before: null })} session={null} />
        <DiffView diff={bare('text', { before: state('a'), after: state('a', 240, 0o755) })} session={null} />
      </ServedExample>
    </>
  )
}

function Places() {
  const risks = {
    kind: 'worktree',
    driver: 'git worktree',
    path: '/home/ada/.carrel/places/prj_1',
    branch: 'carrel/spring',
    missing: false,
    changed: ['src/beds.ts', 'notes.txt'],
    unpushed: 2,
    underway: null,
  }
  const loss = {
    removed: false,
    lost: ['src/beds.ts', 'notes.txt', '2 commits of carrel/spring'],
    kept: ['Branch main'],
    restore: 'carrel restore prj_00000000000000000000000001 --to 12',
  }
  return (
    <>
      <ServedExample
        box="example-dialog"
        title="Place: to be removed"
        answers={{ 'places.previewRemoval': () => risks, 'places.remove': () => loss }}
      >
        <Removing project={PROJECT} onClose={close} />
      </ServedExample>
      <ServedExample box="example-dialog" title="Project: to be made" answers={{ 'places.drivers': () => DRIVERS }}>
        <ProjectForm space={SPACE} onClose={close} />
      </ServedExample>
      <ServedExample box="example-dialog" title="File rules">
        <RulesForm space={SPACE} rules={RULES} changed onClose={close} onSaved={close} />
      </ServedExample>
    </>
  )
}
