import { command } from '../shell/commands.ts'
import { texts } from '../texts/texts.ts'
import type { Around, Entry } from './entries.ts'

/** What stands beside the session on the screen, and what can be done with its files. */
export function fileEntries({ workspace, row, deeds }: Around): Entry[] {
  if (!row) return []
  const words = texts.palette.files
  const tab = command('tab')
  const project = workspace.projects[row.project]
  const own = project && project.place.kind !== 'direct' && project.place.state === 'ready' ? project : undefined
  const undo = (of: 'session' | 'run'): void => {
    const what = of === 'run' ? { kind: of, run: row.lastRun!.id } : { kind: 'session' as const, session: row.id }
    deeds.over({
      kind: 'plan',
      project: row.project,
      title: texts.files.undoTitle[of],
      request: { kind: 'undo', of: what },
    })
  }
  return [
    ...(tab
      ? [
          { ...words.files, keys: 'f', act: (): void => tab('files') },
          { ...words.timeline, keys: 't', act: (): void => tab('timeline') },
          { ...words.runs, act: (): void => tab('runs') },
          { ...words.browser, act: (): void => tab('browser') },
        ]
      : []),
    ...(row.lastRun ? [{ ...words.undoRun, act: (): void => undo('run') }] : []),
    { ...words.undoSession, act: (): void => undo('session') },
    ...(own ? [{ ...words.apply, act: (): void => deeds.apply(own) }] : []),
    ...(own ? [{ ...words.patch, act: (): void => deeds.patch(own) }] : []),
    ...(own
      ? [
          {
            ...words.removePlace,
            act: (): void => deeds.over({ kind: 'place-remove', project: own.id, name: own.name }),
          },
        ]
      : []),
  ]
}
