import type { EffectiveEnvironment } from '../../src/model/environment.ts'
import { texts } from '../texts/texts.ts'
import { type Amount, amountWords } from './draft.ts'

/** What holds in the end, and which scope says so. */
export function EffectiveTable({ effective }: { effective: EffectiveEnvironment }) {
  const words = texts.environment
  return (
    <table className="effective">
      <caption>{words.effective}</caption>
      <thead>
        <tr>
          <th>{words.what}</th>
          <th>{words.value}</th>
          <th>{words.from}</th>
        </tr>
      </thead>
      <tbody>
        {rowsOf(effective).map(({ what, value, from }) => (
          <tr key={`${what} ${value} ${from}`}>
            <td>{what}</td>
            <td>{value}</td>
            <td className="faint">{words.layers[from]}</td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}

interface Row {
  readonly what: string
  readonly value: string
  readonly from: EffectiveEnvironment['home']['from']
}

function rowsOf({ env, home, sandbox, hosts, ports, browser, limits, budgets }: EffectiveEnvironment): Row[] {
  const words = texts.environment
  const amount = (name: string, value: number) => amountWords(name as Amount, value)
  return [
    ...Object.entries(env).map(([what, { value, from }]) => ({ what, value, from })),
    { what: words.home, value: words.homes[home.value], from: home.from },
    { what: words.sandbox, value: words.sandboxes[sandbox.value], from: sandbox.from },
    ...hosts.map(({ value, from }) => ({ what: words.host, value, from })),
    ...(ports.value.length > 0 ? [{ what: words.ports, value: ports.value.join(', '), from: ports.from }] : []),
    { what: words.browser, value: words.browsers[browser.value], from: browser.from },
    ...Object.entries(limits).map(([name, { value, from }]) => ({
      what: words.limit(words.amounts[name as Amount]),
      value: amount(name, value),
      from,
    })),
    ...budgets.flatMap(({ of, from, budget }) =>
      Object.entries(budget).map(([name, value]) => ({
        what: words.budget[of](words.amounts[name as Amount]),
        value: amount(name, value ?? 0),
        from,
      })),
    ),
  ]
}
