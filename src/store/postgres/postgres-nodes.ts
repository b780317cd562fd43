import type { UpgradeFinding } from '../../model/upgrade.ts'
import type { Tx } from '../sql/tx.ts'

/** Returns the application name that marks a node's connections. Earlier versions had `carrel` and schema `public`. */
export const applicationName = (schema: string): string => (schema === 'public' ? 'carrel' : `carrel ${schema}`)

/** The application name of a connection that is not yet a node: it waits for the lock of migrations. */
export const OPENING = 'carrel opening'

interface NodeQuery {
  readonly schema: string
  readonly now: number
  /** The lease holder of this node. Its leases are leftovers of an earlier process. */
  readonly holder: string | null
}

export async function livingNodes(tx: Tx, { schema, now, holder }: NodeQuery): Promise<UpgradeFinding[]> {
  const connected = await tx.all<{ address: string; connections: number; names: string }>(
    `select coalesce(host(client_addr), 'the machine of the server') as address, count(*) as connections,
       string_agg(distinct application_name, ', ') as names
     from pg_stat_activity
     where datname = current_database() and pid <> pg_backend_pid()
       and (application_name = $1 or ($2 = 'public' and application_name = 'carrel bell'))
     group by 1 order by 1`,
    applicationName(schema),
    schema,
  )
  const holding = await tx.all<{ holder: string; leases: number; until: number }>(
    `select holder, count(*) as leases, max(expires_at) as until from leases
     where expires_at > $1 and holder <> '' and holder <> $2 group by holder order by holder`,
    now,
    holder ?? '',
  )
  return [
    ...connected.map(({ address, connections }) =>
      stop(
        `A Carrel at ${address} is connected to the database (${connections} ${connections === 1 ? 'connection' : 'connections'}).`,
        'Stop that Carrel.',
      ),
    ),
    ...holding.map(({ holder: node, leases, until }) =>
      stop(
        `The ${node.replace(':', ' ')} holds ${leases} ${leases === 1 ? 'lease' : 'leases'} until ${new Date(until).toISOString()}.`,
        'Stop that node. If it has crashed, wait until then.',
      ),
    ),
  ]
}

const stop = (text: string, next: string): UpgradeFinding => ({ level: 'stop', kind: 'node', text, next })
