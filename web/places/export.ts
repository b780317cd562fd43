import type { PageStore } from '../data/page-state.ts'
import { attempt, say } from '../data/toasts.ts'
import { texts } from '../texts/texts.ts'
import { download } from '../ui/download.ts'

/** Downloads the changes of a working copy as a patch. */
export function exportPatch(page: PageStore, project: string, name: string): Promise<void> {
  const labels = texts.places.export
  return attempt(labels.failed, async () => {
    const workspace = page.state().workspaceId!
    const { patch } = await page.call('places.export', { workspace, project, as: 'patch' })
    if (!patch) return say(labels.nothing)
    download(`${name.replaceAll(/[^\p{L}\p{N}._-]+/gu, '-') || 'changes'}.patch`, patch, 'text/x-patch')
  })
}
