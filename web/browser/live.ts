import { BrowserFrame, BrowserScene } from '../../src/model/browser-sight.ts'

/** A live view as the page has it. `since`: when the line was cut; null while it is open. */
export interface Live {
  readonly scene: BrowserScene | null
  readonly frame: BrowserFrame | null
  readonly ended: boolean
  readonly open: boolean
  /** ms since 1970. */
  readonly cutAt: number | null
}

export const NO_LIVE: Live = { scene: null, frame: null, ended: false, open: false, cutAt: null }

/** Follows the browser of a run until the returned function is called. The browser of the reader comes back by itself where the line was cut. */
export function followLive(workspace: string, run: string, onLive: (change: (live: Live) => Live) => void): () => void {
  const source = new EventSource(
    `/api/v1/workspaces/${encodeURIComponent(workspace)}/runs/${encodeURIComponent(run)}/browser/live`,
  )
  const on = <T>(
    name: string,
    shape: { safeParse(value: unknown): { data?: T } },
    put: (live: Live, said: T) => Live,
  ) =>
    source.addEventListener(name, (event) => {
      const said = shape.safeParse(JSON.parse(String((event as MessageEvent).data))).data
      if (said !== undefined) onLive((live) => put(live, said))
    })
  source.onopen = () => onLive((live) => ({ ...live, open: true, cutAt: null }))
  source.onerror = () => {
    // A refusal, which is that the run has none any more: nothing comes back by itself then.
    const over = source.readyState === EventSource.CLOSED
    onLive((live) => ({ ...live, open: false, ended: live.ended || over, cutAt: live.cutAt ?? Date.now() }))
  }
  on('scene', BrowserScene, (live, scene) => ({
    ...live,
    scene,
    frame: live.frame?.tab === scene.shown ? live.frame : null,
  }))
  on('frame', BrowserFrame, (live, frame) => ({ ...live, frame }))
  source.addEventListener('ended', () => {
    source.close()
    onLive((live) => ({ ...live, ended: true, open: false }))
  })
  return () => source.close()
}
