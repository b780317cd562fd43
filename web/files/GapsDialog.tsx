import type { Gap } from '../../src/model/files/history.ts'
import { useGaps } from '../data/files.ts'
import { overlay } from '../data/overlay.ts'
import { usePageState } from '../data/use-page.ts'
import { bytes } from '../texts/format.ts'
import { texts } from '../texts/texts.ts'
import { Button } from '../ui/Button.tsx'
import { Dialog } from '../ui/Dialog.tsx'
import { Problem } from '../ui/Problem.tsx'
import { shownPath } from './groups.ts'
import '../ui/dialogs.css'
import './files.css'

interface Props {
  readonly project: string
  readonly space: string
  readonly n: number
  readonly onClose: () => void
}

/** The paths that the history does not track, largest first. */
export function GapsDialog({ project, space, n, onClose }: Props) {
  const { data, error, isPending } = useGaps(project, n)
  const name = usePageState((state) => state.workspace?.spaces[space]?.name ?? '')
  const labels = texts.files.gaps
  return (
    <Dialog title={labels.title} onClose={onClose} className="wide">
      <p className="dim">{labels.note}</p>
      <Problem error={error} />
      {isPending && <p className="faint">{texts.ui.loading}</p>}
      {data && <GapList gaps={data.gaps} />}
      <div className="actions">
        <Button label={labels.rules} onClick={() => overlay.set({ kind: 'file-rules', space, name })} />
        <Button label={texts.ui.close} onClick={onClose} />
      </div>
    </Dialog>
  )
}

export function GapList({ gaps }: { gaps: readonly Gap[] }) {
  const labels = texts.files.gaps
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling box must be reachable by keyboard
    <ul className="gap-list scroll" tabIndex={0} aria-label={labels.title}>
      {gaps.map(({ path, why, bytes: size, files }) => (
        <li key={path}>
          <bdi className="mono grow">{shownPath(path)}</bdi>
          <span className="faint">{labels.why[why]}</span>
          {files !== null && <span className="faint">{labels.folder(files)}</span>}
          {size !== null && <span className="faint">{bytes(size)}</span>}
        </li>
      ))}
    </ul>
  )
}
