import { command } from '../data/commands.ts'
import { texts } from '../texts/texts.ts'
import type { PaletteContext, PaletteEntry } from './entries.ts'

/** Entries for the side panel and the files of the open session. */
export function fileEntries({ workspace, row, commands }: PaletteContext): PaletteEntry[] {
  if (!row) return []
  const labels = texts.palette.files
  const tab = command('tab')
  const project = workspace.projects[row.project]
  const own = project && project.place.kind !== 'direct' && project.place.state === 'ready' ? project : undefined
  const undo = (of: 'session' | 'run'): void => {
    const what = of === 'run' ? { kind: of, run: row.lastRun!.id } : { kind: 'session' as const, session: row.id }
    commands.over({
      kind: 'plan',
      project: row.project,
      title: texts.files.undoTitle[of],
      request: { kind: 'undo', of: what },
    })
  }
  return [
    ...(tab
      ? [
          { ...labels.files, keys: 'f', act: (): void => tab('files') },
          { ...labels.timeline, keys: 't', act: (): void => tab('timeline') },
          { ...labels.runs, act: (): void => tab('runs') },
          { ...labels.browser, act: (): void => tab('browser') },
        ]
      : []),
    ...(row.lastRun ? [{ ...labels.undoRun, act: (): void => undo('run') }] : []),
    { ...labels.undoSession, act: (): void => undo('session') },
    ...(own
      ? [
          { ...labels.apply, act: (): void => commands.apply(own) },
          { ...labels.patch, act: (): void => commands.patch(own) },
          {
            ...labels.removePlace,
            act: (): void => commands.over({ kind: 'place-remove', project: own.id, name: own.name }),
          },
        ]
      : []),
  ]
}
