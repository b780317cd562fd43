import { KEEP, useAnswer } from '../data/queries.ts'
import { texts } from '../texts/texts.ts'

/** Links to the programs on the project's ports. A link passes the login and ends at an origin of its own. */
export function PortLinks({ project, stamp }: { project: string; stamp: string }) {
  const { data } = useAnswer(['ports', project, stamp], 'ports.list', { project }, KEEP)
  if (!data || data.ports.length === 0) return null
  return (
    <ul className="port-links" aria-label={texts.environment.ports}>
      {data.ports.map(({ name, port, preview, listening, apart }) => (
        <li key={name}>
          {apart ? (
            texts.environment.port(name, port)
          ) : (
            <a href={`/preview/${preview}`} target="_blank" rel="noreferrer">
              {texts.environment.port(name, port)}
            </a>
          )}{' '}
          <span className="faint">
            {apart ? texts.environment.apart : listening ? texts.environment.listening : texts.environment.silent}
          </span>
        </li>
      ))}
    </ul>
  )
}
