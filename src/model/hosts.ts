/**
 * Whether a list of hosts lets a connection through. An entry is `example.com`, or `*.example.com` for everything below it,
 * and lets all ports through unless it names one (`example.com:8443`). Addresses of machines are matched as they are written.
 */
export function letsThrough(hosts: readonly string[], host: string, port: number): boolean {
  const asked = plain(host)
  return hosts.some((entry) => {
    const [, name = '', only] = /^(.*?)(?::(\d+))?$/.exec(entry) ?? []
    if (only !== undefined && Number(only) !== port) return false
    const allowed = plain(name)
    return allowed.startsWith('*.')
      ? asked.endsWith(allowed.slice(1)) && asked.length >= allowed.length
      : asked === allowed
  })
}

/** A name at the root of all names is the same name. */
const plain = (name: string) => name.toLowerCase().replace(/\.$/, '')
