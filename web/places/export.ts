import type { PageStore } from '../data/page-state.ts'
import { attempt, say } from '../data/toasts.ts'
import { texts } from '../texts/texts.ts'

/** Downloads a text as a file. */
function download(name: string, text: string): void {
  const address = URL.createObjectURL(new Blob([text], { type: 'text/x-patch' }))
  const link = document.createElement('a')
  link.href = address
  link.download = name
  link.click()
  // The browser has started to read the file by then.
  setTimeout(() => URL.revokeObjectURL(address), 10_000)
}

/** Downloads the changes of a working copy as a patch. */
export function exportPatch(page: PageStore, project: string, name: string): Promise<void> {
  const labels = texts.places.export
  return attempt(labels.failed, async () => {
    const workspace = page.state().workspaceId!
    const { patch } = await page.call('places.export', { workspace, project, as: 'patch' })
    if (!patch) return say(labels.nothing)
    download(`${name.replaceAll(/[^\p{L}\p{N}._-]+/gu, '-') || 'changes'}.patch`, patch)
  })
}
