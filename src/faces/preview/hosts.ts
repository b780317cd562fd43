import type { Config } from '../../model/settings/config.ts'
import { PreviewName } from '../../model/settings/environment.ts'

/** Host whose first label names a preview. */
export interface PreviewHost {
  readonly preview: string
  /** Whole host in lower case. */
  readonly host: string
  /** Part after the first dot. */
  readonly below: string
}

/** Parses a Host or the host of an Origin, without checking whether it is allowed. */
export function previewIn(name: string | undefined): PreviewHost | null {
  const host = (name ?? '').toLowerCase()
  const dot = host.indexOf('.')
  const preview = host.slice(0, Math.max(0, dot))
  return PreviewName.safeParse(preview).success ? { preview, host, below: host.slice(dot + 1) } : null
}

export type PreviewHosts = ReturnType<typeof createPreviewHosts>

/**
 * Hosts of previews. Each preview has its own host, and thus its own origin.
 * @param isOwn whether a Host is one of Carrel's names (see the gate)
 */
export function createPreviewHosts(config: Config, isOwn: (host: string) => boolean) {
  const domain = config.previewDomain
  /** Browsers resolve `*.localhost` to their own machine: a browser that reaches Carrel there also reaches previews. */
  const ownLoopback = (port: string) =>
    ['127.0.0.1', 'localhost', '[::1]'].map((name) => name + port).find((host) => isOwn(host))
  const isBelow = (below: string): boolean => {
    const { name, port } = split(below)
    if (name === 'localhost') return ownLoopback(port) !== undefined
    if (domain === null) return false
    return below === domain || (name === domain && port !== '')
  }
  return {
    /** Returns the preview of a Host; null for a Host that Carrel would not create. */
    at(host: string | undefined): PreviewHost | null {
      const found = previewIn(host)
      return found !== null && isBelow(found.below) ? found : null
    },
    /** Returns the host of a preview for a browser that reaches Carrel as `carrel`; null without a preview domain. */
    hostOf(preview: string, carrel: string): string | null {
      const { name, port } = split(carrel.toLowerCase())
      if (isLoopback(name)) return `${preview}.localhost${port}`
      if (domain === null) return null
      return `${preview}.${domain}${split(domain).port === '' ? port : ''}`
    },
    /** Returns Carrel's host for a browser at a preview: `came` if that is still valid, else the best guess. */
    carrelOf({ below }: PreviewHost, came: string | undefined): string | null {
      if (came !== undefined && isOwn(came)) return came
      const { name, port } = split(below)
      return (name === 'localhost' ? ownLoopback(port) : config.allowedHosts[0]) ?? null
    },
  }
}

const isLoopback = (name: string): boolean =>
  ['localhost', '127.0.0.1', '[::1]'].includes(name) || name.endsWith('.localhost')

/** Splits a host; `port` has its colon, or is empty. */
function split(host: string): { name: string; port: string } {
  const [, name = '', port = ''] = /^(\[[^\]]*\]|[^:]*)(:\d{1,5})?$/.exec(host) ?? []
  return { name, port }
}
