import { CircleCheck, Undo2 } from 'lucide-react'
import type { Act } from '../../src/model/files/history.ts'
import { overlay } from '../data/overlay.ts'
import { useWorkspace } from '../data/use-page.ts'
import { shownPath } from '../files/groups.ts'
import { texts } from '../texts/texts.ts'
import { Button } from '../ui/Button.tsx'
import { Fold } from '../ui/Fold.tsx'
import { nameOf } from './reasons.ts'
import { TalkBack } from './TalkBack.tsx'

interface Props {
  readonly act: Act
  readonly project: string
  readonly session?: string | undefined
  readonly onClose: () => void
}

/** The result of a plan: written and unchanged files, and a button that undoes it. */
export function PlanDone({ act, project, session, onClose }: Props) {
  const { sessions } = useWorkspace()
  const labels = texts.plans.done
  const { kind } = act.request
  const undo = (): void =>
    overlay.set({
      kind: 'plan',
      project,
      title: labels.undoTitle[kind],
      request: { kind: 'undo', of: { kind: 'act', act: act.id } },
    })
  return (
    <>
      <div className="plan-done" role="status">
        <CircleCheck className="glyph" aria-hidden />
        <div className="stack-s">
          <h3>{labels.title[kind]}</h3>
          <p>{labels.written(act.written.length)}</p>
          {act.left.length > 0 && <p>{labels.left(act.left.length)}</p>}
          {act.taken.map(({ author, paths }) => (
            <p key={JSON.stringify(author)} className="dim">
              {labels.taken(nameOf(author, sessions), paths.length)}
            </p>
          ))}
          {act.notices?.map((text) => (
            <p key={text} className="dim">
              {text}
            </p>
          ))}
        </div>
      </div>
      <Paths id={`written.${act.id}`} title={labels.writtenList} paths={act.written} />
      <Paths id={`left.${act.id}`} title={labels.leftList} paths={act.left} />
      {act.request.kind === 'restore' && session !== undefined && (
        <TalkBack session={session} n={act.request.to} onClose={onClose} />
      )}
      <div className="actions">
        {act.written.length > 0 && <Button icon={Undo2} label={labels.undo} onClick={undo} />}
        <Button label={texts.ui.done} className="primary" onClick={onClose} />
      </div>
    </>
  )
}

function Paths({ id, title, paths }: { id: string; title: string; paths: readonly string[] }) {
  if (paths.length === 0) return null
  return (
    <Fold id={id} head={<span>{`${title} (${paths.length})`}</span>}>
      {() => (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling box must be reachable by keyboard
        <ul className="plan-paths scroll mono" tabIndex={0} aria-label={title}>
          {paths.map((path) => (
            <li key={path}>
              <bdi>{shownPath(path)}</bdi>
            </li>
          ))}
        </ul>
      )}
    </Fold>
  )
}
