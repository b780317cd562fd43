/**
 * Whether a list of hosts allows a connection. An entry is `example.com`, or `*.example.com` for all subdomains, and
 * allows all ports unless it names one (`example.com:8443`). IP addresses match literally.
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

/** Normalizes a host name: lower case, without the trailing dot of the DNS root. */
const plain = (name: string) => name.toLowerCase().replace(/\.$/, '')
