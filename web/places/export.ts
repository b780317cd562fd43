import type { Page } from '../data/page-store.ts'
import { attempt, say } from '../shell/toasts.ts'
import { texts } from '../texts/texts.ts'

/** Gives the browser a file to keep. */
function download(name: string, text: string): void {
  const address = URL.createObjectURL(new Blob([text], { type: 'text/x-patch' }))
  const link = document.createElement('a')
  link.href = address
  link.download = name
  link.click()
  // The browser has begun to read it by then.
  setTimeout(() => URL.revokeObjectURL(address), 10_000)
}

/** What a project did in its own place, as a patch file. */
export function exportPatch(page: Page, project: string, name: string): Promise<void> {
  const words = texts.places.export
  return attempt(words.failed, async () => {
    const workspace = page.state().workspaceId!
    const { patch } = await page.call('places.export', { workspace, project, as: 'patch' })
    if (!patch) return say(words.nothing)
    download(`${name.replaceAll(/[^\p{L}\p{N}._-]+/gu, '-') || 'changes'}.patch`, patch)
  })
}
