import type { Config } from '../../model/config.ts'
import { PreviewName } from '../../model/environment.ts'

/** A Host whose first label is the name of a preview. */
export interface PreviewHost {
  readonly preview: string
  /** As the browser said it, in small letters. */
  readonly host: string
  /** What stands behind the first dot. */
  readonly below: string
}

/** Where previews stand: each at a host name of its own, so that it is no origin of Carrel's nor of another preview. */
export interface PreviewHosts {
  /** The preview that a Host names; null when it names none that we would have made. */
  at(said: string | undefined): PreviewHost | null
  /** The host of a preview for somebody who reached Carrel as `carrel`; null where no domain is set for that. */
  hostOf(preview: string, carrel: string): string | null
  /** Where Carrel is for somebody at a preview: as they came, if that is still a name of ours, else our best guess. */
  carrelOf(at: PreviewHost, came: string | undefined): string | null
}

/** Reads a Host, or the host of an Origin, without asking whether it may be used. */
export function previewIn(said: string | undefined): PreviewHost | null {
  const host = (said ?? '').toLowerCase()
  const dot = host.indexOf('.')
  const preview = host.slice(0, Math.max(0, dot))
  return PreviewName.safeParse(preview).success ? { preview, host, below: host.slice(dot + 1) } : null
}

/** @param isOwn whether a Host is one of Carrel's own (the gate) */
export function createPreviewHosts(config: Config, isOwn: (host: string) => boolean): PreviewHosts {
  const domain = config.previewDomain
  /** Every browser leads `*.localhost` to its own machine, so whoever reaches us there reaches previews there. */
  const ownLoopback = (port: string) =>
    ['127.0.0.1', 'localhost', '[::1]'].map((name) => name + port).find((host) => isOwn(host))

  const isBelow = (below: string): boolean => {
    const { name, port } = split(below)
    if (name === 'localhost') return ownLoopback(port) !== undefined
    if (domain === null) return false
    return below === domain || (name === domain && port !== '')
  }

  return {
    at(said) {
      const found = previewIn(said)
      return found !== null && isBelow(found.below) ? found : null
    },
    hostOf(preview, carrel) {
      const { name, port } = split(carrel.toLowerCase())
      if (isLoopback(name)) return `${preview}.localhost${port}`
      if (domain === null) return null
      return `${preview}.${domain}${split(domain).port === '' ? port : ''}`
    },
    carrelOf({ below }, came) {
      if (came !== undefined && isOwn(came)) return came
      const { name, port } = split(below)
      return (name === 'localhost' ? ownLoopback(port) : config.allowedHosts[0]) ?? null
    },
  }
}

const isLoopback = (name: string): boolean =>
  ['localhost', '127.0.0.1', '[::1]'].includes(name) || name.endsWith('.localhost')

/** `port` with its colon, or nothing. */
function split(host: string): { name: string; port: string } {
  const [, name = '', port = ''] = /^(\[[^\]]*\]|[^:]*)(:\d{1,5})?$/.exec(host) ?? []
  return { name, port }
}
