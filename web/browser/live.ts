import { BrowserFrame, BrowserScene } from '../../src/model/browser-sight.ts'

/** The live view of a browser. `cutAt`: time of the cut, null while the connection is open. */
export interface Live {
  readonly scene: BrowserScene | null
  readonly frame: BrowserFrame | null
  readonly ended: boolean
  readonly open: boolean
  /** ms since 1970. */
  readonly cutAt: number | null
}

export const NO_LIVE: Live = { scene: null, frame: null, ended: false, open: false, cutAt: null }

/** Follows a run's browser until the returned function is called. The EventSource reconnects by itself after a cut. */
export function followLive(workspace: string, run: string, onLive: (change: (live: Live) => Live) => void): () => void {
  const source = new EventSource(
    `/api/v1/workspaces/${encodeURIComponent(workspace)}/runs/${encodeURIComponent(run)}/browser/live`,
  )
  const on = <T>(name: string, shape: { safeParse(value: unknown): { data?: T } }, put: (live: Live, raw: T) => Live) =>
    source.addEventListener(name, (event) => {
      const raw = shape.safeParse(JSON.parse(String((event as MessageEvent).data))).data
      if (raw !== undefined) onLive((live) => put(live, raw))
    })
  source.onopen = () => onLive((live) => ({ ...live, open: true, cutAt: null }))
  source.onerror = () => {
    // The server refused: the run has no browser any more. The EventSource does not reconnect then.
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
